/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/keys.h"

#include <stddef.h>

#define AT(structure, member) offsetof(struct structure, member), sizeof(((struct structure *)0)->member)

static const char *const cipher_words[] = {"aes-128-gcm", "aes-256-gcm", "chacha20-poly1305", NULL};
static const char *const group_words[] = {"x25519", "secp256r1", "secp384r1", "x25519mlkem768", NULL};
static const char *const congestion_words[] = {"cubic", "newreno", NULL};
static const char *const mode_words[] = {"sealed", "clear", NULL};
static const char *const level_words[] = {"error", "warning", "info", "debug", NULL};

static const struct config_key port_keys[] = {
	{"name", CONFIG_TEXT, AT(config_port, name), 0, 0, NULL, "\"\"",
		"What logs and metrics call the port; \"\" is port0, port1, ….", "\"front\""},
	{"device", CONFIG_TEXT, AT(config_port, device), 0, 0, NULL, NULL,
		"The PCI address of a card (bound to vfio-pci), or a virtual device of DPDK with its arguments,\n"
		"\"net_af_packet0,iface=eth0,qpairs=2\" for a network interface of the kernel.",
		"\"0000:01:00.0\""},
	{"queues", CONFIG_INTEGER, AT(config_port, queues), 0, CONFIG_SHARDS_MAX, NULL, "0",
		"Queues in each direction; 0 is one for each shard, or as many as the port has. Shards without a queue are\n"
		"served through the mailbox of a shard that has one.",
		NULL},
	{"receive_descriptors", CONFIG_INTEGER, AT(config_port, receive_descriptors), 64, 8192, NULL, "1024",
		"Descriptors of each receive queue; each holds an mbuf.", NULL},
	{"send_descriptors", CONFIG_INTEGER, AT(config_port, send_descriptors), 64, 8192, NULL, "1024",
		"Descriptors of each send queue.", NULL},
	{"mtu", CONFIG_INTEGER, AT(config_port, mtu), 1280, 9000, NULL, "1500", "Octets of an IP packet.",
		NULL},
	{"vlan", CONFIG_INTEGER, AT(config_port, vlan), 0, 4094, NULL, "0",
		"IEEE 802.1Q tag of all frames; 0 is none.", NULL},
	{"promiscuous", CONFIG_BOOL, AT(config_port, promiscuous), 0, 0, NULL, "false",
		"Takes frames for any link address; for ports that cannot filter multicast.", NULL},
	{"checksum_offload", CONFIG_BOOL, AT(config_port, checksum_offload), 0, 0, NULL, "true",
		"Leaves checksums to the card where it can.", NULL},
	{"addresses", CONFIG_PREFIXES, AT(config_port, addresses), 1, 0, NULL, NULL,
		"IPv4 and IPv6 addresses with their prefix. A link-local address is added.",
		"[\"192.0.2.1/24\", \"2001:db8::1/64\"]"},
	{"gateways", CONFIG_IPS, AT(config_port, gateways), 0, 0, NULL, "[]",
		"Next hops for what is not within a prefix; each serves the addresses whose prefix it lies in.",
		"[\"192.0.2.254\", \"2001:db8::ffff\"]"},
};

static const struct config_key listen_keys[] = {
	{"port", CONFIG_INTEGER, AT(config, listen_port), 1, 65535, NULL, "443",
		"UDP port of QUIC, on every address.", NULL},
};

static const struct config_key shards_keys[] = {
	{"count", CONFIG_INTEGER, AT(config, shards.count), 1, CONFIG_SHARDS_MAX, NULL, "1",
		"Shards: threads that run connections from frame to application.", NULL},
	{"cpus", CONFIG_NUMBERS, AT(config, shards.cpus), 0, 1023, NULL, "[]",
		"CPU of each shard, as many as there are shards; [] takes 1, 2, … in turn and goes round. Several shards may\n"
		"share a CPU, which is slow.",
		NULL},
	{"manager_cpu", CONFIG_INTEGER, AT(config, shards.manager_cpu), 0, 1023, NULL, "0",
		"CPU of the management thread, which sleeps most of the time.", NULL},
	{"moves_max", CONFIG_INTEGER, AT(config, shards.moves_max), 1, 64, NULL, "16",
		"Connections that are on their way from one shard to another at once.", NULL},
};

static const struct config_key memory_keys[] = {
	{"hugepages", CONFIG_BOOL, AT(config, memory.hugepages), 0, 0, NULL, "true",
		"Memory in hugepages; false takes ordinary pages, which is slower.", NULL},
	{"megabytes", CONFIG_INTEGER, AT(config, memory.megabytes), 32, 1 << 20, NULL, "512",
		"Memory taken at start; everything but code, TLS contexts and what the kernel keeps has to fit.",
		NULL},
	{"connections", CONFIG_INTEGER, AT(config, memory.connections), 16, 10000000, NULL, "10000",
		"Connections of all shards together.", NULL},
	{"mbufs", CONFIG_INTEGER, AT(config, memory.mbufs), 512, 1 << 24, NULL, "16384",
		"Packet buffers on each CPU socket: more than descriptors, mailboxes and caches can hold.",
		NULL},
	{"mailbox", CONFIG_INTEGER, AT(config, memory.mailbox), 64, 65536, NULL, "1024",
		"Datagrams that wait for a shard at most; a power of two.", NULL},
	{"streams", CONFIG_INTEGER, AT(config, memory.streams), 16, 1 << 26, NULL, "32768",
		"Streams open, of all shards together.", NULL},
	{"chunks", CONFIG_INTEGER, AT(config, memory.chunks), 16, 1 << 26, NULL, "16384",
		"Pieces of 2 KiB of stream data kept for later, of all shards together.", NULL},
	{"sent_chunks", CONFIG_INTEGER, AT(config, memory.sent_chunks), 64, 1 << 26, NULL, "8192",
		"Pieces of 2 KiB that remember packets sent and not acknowledged yet, of all shards together.",
		NULL},
	{"requests", CONFIG_INTEGER, AT(config, memory.requests), 16, 1 << 26, NULL, "8192",
		"HTTP requests in progress, of all shards together.", NULL},
	{"field_sections", CONFIG_INTEGER, AT(config, memory.field_sections), 4, 1 << 20, NULL, "256",
		"HTTP field sections that arrive in pieces, of all shards together.", NULL},
	{"tls_heap_megabytes", CONFIG_INTEGER, AT(config, memory.tls_heap_megabytes), 0, 65536, NULL, "16",
		"Ordinary memory that the TLS library of a shard may take when its own pool is used up.",
		NULL},
};

static const struct config_key tls_keys[] = {
	{"certificate", CONFIG_TEXT, AT(config, tls.certificate), 0, 0, NULL, "\"certificate.pem\"",
		"Certificate chain in PEM, the server's own first.", NULL},
	{"key", CONFIG_TEXT, AT(config, tls.key), 0, 0, NULL, "\"key.pem\"",
		"Private key of the certificate in PEM, not encrypted.", NULL},
	{"ciphers", CONFIG_CHOICES, AT(config, tls.ciphers), 1, 0, cipher_words,
		"[\"aes-128-gcm\", \"aes-256-gcm\", \"chacha20-poly1305\"]", "Cipher suites, best first.",
		NULL},
	{"groups", CONFIG_CHOICES, AT(config, tls.groups), 0, 0, group_words, "[]",
		"Key exchange groups, best first; [] is all that the TLS library has.", NULL},
	{"tickets", CONFIG_BOOL, AT(config, tls.tickets), 0, 0, NULL, "true",
		"Session tickets, by which clients come back faster.", NULL},
	{"ticket_lifetime_s", CONFIG_INTEGER, AT(config, tls.ticket_lifetime_s), 60, 604800, NULL, "86400",
		"How long a ticket is good for.", NULL},
};

static const struct config_key quic_keys[] = {
	{"idle_timeout_ms", CONFIG_INTEGER, AT(config, quic.idle_timeout_ms), 0, 3600000, NULL, "30000",
		"A connection on which nothing happens for so long is forgotten; 0 is never.", NULL},
	{"handshake_timeout_ms", CONFIG_INTEGER, AT(config, quic.handshake_timeout_ms), 100, 600000, NULL,
		"10000", "A handshake that takes longer is given up.", NULL},
	{"initial_rtt_ms", CONFIG_INTEGER, AT(config, quic.initial_rtt_ms), 1, 10000, NULL, "333",
		"Round trip assumed before the first is measured.", NULL},
	{"max_ack_delay_ms", CONFIG_INTEGER, AT(config, quic.max_ack_delay_ms), 0, 16383, NULL, "25",
		"Acknowledgements wait for each other so long at most.", NULL},
	{"handshakes_max", CONFIG_INTEGER, AT(config, quic.handshakes_max), 1, 1 << 20, NULL, "512",
		"Handshakes in progress on one shard; the oldest gives way to a new one.", NULL},
	{"retry_above", CONFIG_INTEGER, AT(config, quic.retry_above), 0, 1 << 20, NULL, "256",
		"From so many handshakes on one shard on, new clients must prove their address (Retry); 0 is always.",
		NULL},
	{"stateless_per_s", CONFIG_INTEGER, AT(config, quic.stateless_per_s), 1, 10000000, NULL, "10000",
		"Retries a second on one shard, and as many version negotiations and refusals.", NULL},
	{"resets_per_s", CONFIG_INTEGER, AT(config, quic.resets_per_s), 1, 10000000, NULL, "100",
		"Stateless resets a second, on one shard.", NULL},
	{"token_lifetime_s", CONFIG_INTEGER, AT(config, quic.token_lifetime_s), 1, 3600, NULL, "10",
		"How long the token of a Retry is good for.", NULL},
	{"streams_bidi_max", CONFIG_INTEGER, AT(config, quic.streams_bidi_max), 0, 65536, NULL, "100",
		"Bidirectional streams a peer may have open at once.", NULL},
	{"streams_uni_max", CONFIG_INTEGER, AT(config, quic.streams_uni_max), 3, 65536, NULL, "16",
		"Unidirectional streams a peer may have open at once; HTTP/3 takes three.", NULL},
	{"connection_window_bytes", CONFIG_INTEGER, AT(config, quic.connection_window_bytes), 1024, 1LL << 40,
		NULL, "524288", "Flow control of a connection at first.", NULL},
	{"connection_window_max_bytes", CONFIG_INTEGER, AT(config, quic.connection_window_max_bytes), 1024,
		1LL << 40, NULL, "4194304", "Up to which it grows.", NULL},
	{"stream_window_bytes", CONFIG_INTEGER, AT(config, quic.stream_window_bytes), 1024, 1LL << 40, NULL,
		"262144", "Flow control of a stream at first.", NULL},
	{"stream_window_max_bytes", CONFIG_INTEGER, AT(config, quic.stream_window_max_bytes), 1024, 1LL << 40,
		NULL, "2097152", "Up to which it grows.", NULL},
	{"stream_send_bytes", CONFIG_INTEGER, AT(config, quic.stream_send_bytes), 1024, 1 << 30, NULL,
		"262144", "Octets of a stream that are copied and not acknowledged yet.", NULL},
	{"crypto_buffer_bytes", CONFIG_INTEGER, AT(config, quic.crypto_buffer_bytes), 4096, 1 << 20, NULL,
		"16384", "Octets of a handshake that are kept out of order.", NULL},
	{"chunks_received_max", CONFIG_INTEGER, AT(config, quic.chunks_received_max), 1, 65535, NULL, "512",
		"Pieces of received stream data that a connection may keep for later.", NULL},
	{"datagrams_queued_max", CONFIG_INTEGER, AT(config, quic.datagrams_queued_max), 1, 4096, NULL, "32",
		"DATAGRAM frames of a connection that wait to be sent.", NULL},
	{"active_connection_ids", CONFIG_INTEGER, AT(config, quic.active_connection_ids), 2, 8, NULL, "4",
		"Connection IDs of a peer that are stored.", NULL},
	{"own_connection_ids", CONFIG_INTEGER, AT(config, quic.own_connection_ids), 2, 8, NULL, "4",
		"Connection IDs issued to a peer, whatever it allows.", NULL},
	{"move_dwell_ms", CONFIG_INTEGER, AT(config, quic.move_dwell_ms), 0, 3600000, NULL, "1000",
		"How long a connection stays at least on the shard it was moved to.", NULL},
	{"move_give_up_ptos", CONFIG_INTEGER, AT(config, quic.move_give_up_ptos), 1, 100, NULL, "3",
		"Probe timeouts that a client has to switch to the connection IDs of a move.", NULL},
	{"move_give_up_ms", CONFIG_INTEGER, AT(config, quic.move_give_up_ms), 1, 3600000, NULL, "5000",
		"How long that is at most: a client's probe timeout is as long as it wants.", NULL},
	{"udp_payload_bytes", CONFIG_INTEGER, AT(config, quic.udp_payload_bytes), 1200, 65527, NULL, "1452",
		"Largest datagram taken, and the largest that is probed for.", NULL},
	{"datagram_bytes", CONFIG_INTEGER, AT(config, quic.datagram_bytes), 0, 65527, NULL, "1200",
		"Largest DATAGRAM frame taken; 0 turns the extension off.", NULL},
	{"send_budget", CONFIG_INTEGER, AT(config, quic.send_budget), 1, 1024, NULL, "16",
		"Packets that a connection may send before it is the others' turn.", NULL},
	{"receive_budget", CONFIG_INTEGER, AT(config, quic.receive_budget), 0, 1024, NULL, "0",
		"Packets of a connection taken from one burst, the rest dropped; 0 drops none, they wait for the others.",
		NULL},
	{"segments_per_turn", CONFIG_INTEGER, AT(config, quic.segments_per_turn), 16, 4096, NULL, "256",
		"Pieces of received data offered where they lie, per turn of a shard; more are copied.",
		NULL},
	{"chunks_in_stock", CONFIG_INTEGER, AT(config, quic.chunks_in_stock), 0, 65536, NULL, "256",
		"Pieces of 2 KiB that a shard keeps at hand between turns.", NULL},
	{"ack_threshold", CONFIG_INTEGER, AT(config, quic.ack_threshold), 1, 255, NULL, "2",
		"Packets received that make an acknowledgement due at once.", NULL},
	{"congestion", CONFIG_CHOICE, AT(config, quic.congestion), 0, 0, congestion_words, "\"cubic\"",
		"Congestion controller: \"cubic\" or \"newreno\".", NULL},
	{"initial_window_packets", CONFIG_INTEGER, AT(config, quic.initial_window_packets), 2, 1000, NULL,
		"10", "Packets sent before the first acknowledgement.", NULL},
	{"ecn", CONFIG_BOOL, AT(config, quic.ecn), 0, 0, NULL, "true",
		"Explicit congestion notification, where the path carries it.", NULL},
	{"key_update_packets", CONFIG_INTEGER, AT(config, quic.key_update_packets), 0, 1LL << 40, NULL, "0",
		"Packets under one key before the next; 0 is only at the limit of the cipher.", NULL},
	{"gateway_id", CONFIG_INTEGER, AT(config, quic.gateway_id), 0, 65535, NULL, "0",
		"Number of this gateway in connection IDs; each gateway of a site has its own.", NULL},
};

static const struct config_key neighbours_keys[] = {
	{"entries_max", CONFIG_INTEGER, AT(config, neighbours.entries_max), 8, 512, NULL, "256",
		"Hosts on the link that are remembered, of each port.", NULL},
	{"incomplete_max", CONFIG_INTEGER, AT(config, neighbours.incomplete_max), 1, 256, NULL, "32",
		"Of them, those that have not answered yet.", NULL},
	{"waiting_max", CONFIG_INTEGER, AT(config, neighbours.waiting_max), 0, 16, NULL, "4",
		"Datagrams that wait for one such answer.", NULL},
	{"requests_per_s", CONFIG_INTEGER, AT(config, neighbours.requests_per_s), 1, 10000, NULL, "50",
		"Questions asked a second.", NULL},
	{"reachable_s", CONFIG_INTEGER, AT(config, neighbours.reachable_s), 1, 86400, NULL, "30",
		"How long an answer is good for.", NULL},
	{"stale_s", CONFIG_INTEGER, AT(config, neighbours.stale_s), 1, 86400, NULL, "600",
		"When a host is forgotten after that, if nobody wants it.", NULL},
	{"learn_unsolicited", CONFIG_BOOL, AT(config, neighbours.learn_unsolicited), 0, 0, NULL, "false",
		"Believes answers that nobody asked for; whoever is on the link can then lead traffic astray.",
		NULL},
};

static const struct config_key http3_keys[] = {
	{"field_section_bytes", CONFIG_INTEGER, AT(config, http3.field_section_bytes), 1024, 65536, NULL,
		"16384", "Longest field section of a request.", NULL},
	{"discard_bytes", CONFIG_INTEGER, AT(config, http3.discard_bytes), 1, 1 << 30, NULL, "65536",
		"Octets of a body nobody wants that are read before the peer is told to stop.", NULL},
};

static const struct config_key services_keys[] = {
	{"h3", CONFIG_BOOL, AT(config, services.h3), 0, 0, NULL, "true", "HTTP/3 (ALPN \"h3\"): the files.",
		NULL},
	{"hq", CONFIG_BOOL, AT(config, services.hq), 0, 0, NULL, "false",
		"HTTP/0.9 over QUIC (ALPN \"hq-interop\"), as interoperability tests have it: the files.",
		NULL},
	{"echo", CONFIG_BOOL, AT(config, services.echo), 0, 0, NULL, "false",
		"ALPN \"echo\": streams and datagrams come back.", NULL},
	{"chat", CONFIG_BOOL, AT(config, services.chat), 0, 0, NULL, "false",
		"ALPN \"chat\": who is in a room hears what is said there.", NULL},
	{"udp_echo_port", CONFIG_INTEGER, AT(config, services.udp_echo_port), 0, 65535, NULL, "0",
		"UDP port whose datagrams come back; 0 is none.", NULL},
};

static const struct config_key bus_keys[] = {
	{"connections", CONFIG_INTEGER, AT(config, bus.connections), 16, 10000000, NULL, "1024",
		"Connections that post or subscribe, of all shards together.", NULL},
	{"posts_waiting", CONFIG_INTEGER, AT(config, bus.posts_waiting), 8, 65536, NULL, "256",
		"Messages of one shard that wait for another at most; each takes 256 octets.", NULL},
	{"posts_per_turn", CONFIG_INTEGER, AT(config, bus.posts_per_turn), 1, 65536, NULL, "256",
		"Messages that a shard takes before it is the packets' turn.", NULL},
	{"posts_per_s", CONFIG_INTEGER, AT(config, bus.posts_per_s), 1, 1000000, NULL, "100",
		"Messages of one connection a second; what is more waits with the client.", NULL},
	{"posts_burst", CONFIG_INTEGER, AT(config, bus.posts_burst), 1, 65536, NULL, "50",
		"Messages of one connection that need not be so far apart.", NULL},
	{"topics", CONFIG_INTEGER, AT(config, bus.topics), 1, 1 << 24, NULL, "1024",
		"Topics at home on one shard.", NULL},
	{"subscribers", CONFIG_INTEGER, AT(config, bus.subscribers), 1, 1 << 24, NULL, "4096",
		"Subscribers of all topics at home on one shard.", NULL},
	{"topic_subscribers", CONFIG_INTEGER, AT(config, bus.topic_subscribers), 1, 65536, NULL, "256",
		"Subscribers of one topic: what is published is sent to so many at once.", NULL},
	{"held", CONFIG_INTEGER, AT(config, bus.held), 16, 1 << 20, NULL, "1024",
		"Messages for connections that have just moved, which came too early; of all shards together.",
		NULL},
	{"hold_ms", CONFIG_INTEGER, AT(config, bus.hold_ms), 1, 60000, NULL, "2000",
		"How long these wait for those that are missing.", NULL},
};

static const struct config_key service_keys[] = {
	{"file", CONFIG_TEXT, AT(config_service, file), 0, 0, NULL, NULL,
		"The shared object, built with millrace/service.h. Nobody but its owner and root may write to it.",
		"\"/usr/local/lib/millrace/example.so\""},
	{"options", CONFIG_TEXT, AT(config_service, options), 0, 0, NULL, "\"\"",
		"A text that is handed to it; what it means is its own affair.", NULL},
};

static const struct config_key files_keys[] = {
	{"root", CONFIG_TEXT, AT(config, files.root), 0, 0, NULL, "\"www\"",
		"The folder whose files are served, read into memory at start; a folder is its index.html.",
		NULL},
};

static const struct config_key routing_keys[] = {
	{"mode", CONFIG_CHOICE, AT(config, routing.mode), 0, 0, mode_words, "\"sealed\"",
		"\"sealed\": connection IDs tell nobody anything. \"clear\": two octets of them name the shard, so that a card\n"
		"which matches payloads brings each packet to it; who sees an ID learns the shard and the gateway. IDs of the\n"
		"other mode, from before a restart, draw no stateless reset.",
		NULL},
};

static const struct config_key rebalance_keys[] = {
	{"enabled", CONFIG_BOOL, AT(config, rebalance.enabled), 0, 0, NULL, "true",
		"Live connections are moved from busy shards to idle ones; `millracectl rebalance on|off` changes it while the\n"
		"gateway runs.",
		NULL},
	{"window_ms", CONFIG_INTEGER, AT(config, rebalance.window_ms), 20, 10000, NULL, "200",
		"Loads are measured and compared once in so long.", NULL},
	{"high_permille", CONFIG_INTEGER, AT(config, rebalance.high_permille), 1002, 10000, NULL, "1100",
		"A shard is too busy when it is above so many thousandths of the mean; more than low_permille.",
		NULL},
	{"low_permille", CONFIG_INTEGER, AT(config, rebalance.low_permille), 1001, 9999, NULL, "1050",
		"Loads are evened out until the busiest shard is below so many thousandths of the mean.",
		NULL},
	{"least_permille", CONFIG_INTEGER, AT(config, rebalance.least_permille), 0, 1000, NULL, "200",
		"Nothing is moved while the busiest shard works for less than so many thousandths of its time.",
		NULL},
	{"windows", CONFIG_INTEGER, AT(config, rebalance.windows), 1, 1000, NULL, "3",
		"Windows in a row that a shard must be too busy before anything is moved.", NULL},
	{"moves_per_s", CONFIG_INTEGER, AT(config, rebalance.moves_per_s), 1, 1000, NULL, "64",
		"Moves begun a second, and as many to drain a shard.", NULL},
	{"moves_in_flight", CONFIG_INTEGER, AT(config, rebalance.moves_in_flight), 1, 64, NULL, "16",
		"Moves on their way at once; never more than shards.moves_max, which counts an operator's too.",
		NULL},
	{"dwell_ms", CONFIG_INTEGER, AT(config, rebalance.dwell_ms), 0, 3600000, NULL, "5000",
		"How long a connection is left alone after a move, and after one that was refused.", NULL},
	{"across_sockets", CONFIG_BOOL, AT(config, rebalance.across_sockets), 0, 0, NULL, "false",
		"Also between shards of different CPU sockets, whose memory is far from each other.", NULL},
};

static const struct config_key idle_keys[] = {
	{"sleep", CONFIG_BOOL, AT(config, idle.sleep), 0, 0, NULL, "true",
		"A shard without work sleeps a little; false polls at full speed, for the best latency.",
		NULL},
	{"spin_turns", CONFIG_INTEGER, AT(config, idle.spin_turns), 0, 1000000, NULL, "64",
		"Turns without work that follow each other at once.", NULL},
	{"pause_turns", CONFIG_INTEGER, AT(config, idle.pause_turns), 0, 1000000, NULL, "64",
		"Turns with a pause of the CPU after that.", NULL},
	{"sleep_min_us", CONFIG_INTEGER, AT(config, idle.sleep_min_us), 1, 100000, NULL, "20",
		"The first sleep after that; the next are longer.", NULL},
	{"sleep_max_us", CONFIG_INTEGER, AT(config, idle.sleep_max_us), 1, 100000, NULL, "100",
		"The longest sleep while there was work a short time ago.", NULL},
	{"sleep_long_us", CONFIG_INTEGER, AT(config, idle.sleep_long_us), 1, 100000, NULL, "1000",
		"The longest sleep otherwise.", NULL},
	{"long_after_ms", CONFIG_INTEGER, AT(config, idle.long_after_ms), 0, 60000, NULL, "100",
		"What a short time is.", NULL},
};

static const struct config_key log_keys[] = {
	{"level", CONFIG_CHOICE, AT(config, log_level), 0, 0, level_words, "\"info\"",
		"\"error\", \"warning\", \"info\" or \"debug\".", NULL},
};

static const struct config_key control_keys[] = {
	{"name", CONFIG_TEXT, AT(config, control.name), 0, 0, NULL, "\"millrace\"",
		"By which millracectl finds this gateway; two on one machine need two names.", NULL},
	{"tick_ms", CONFIG_INTEGER, AT(config, control.tick_ms), 10, 10000, NULL, "100",
		"How often the management thread looks.", NULL},
	{"stuck_ms", CONFIG_INTEGER, AT(config, control.stuck_ms), 100, 600000, NULL, "2000",
		"A shard whose turns stand still for so long is reported.", NULL},
	{"stop_deadline_ms", CONFIG_INTEGER, AT(config, control.stop_deadline_ms), 0, 600000, NULL, "2000",
		"How long connections may take to close at the end.", NULL},
};

static const struct config_key keys_keys[] = {
	{"file", CONFIG_TEXT, AT(config, keys.file), 0, 0, NULL, "\"\"",
		"Keys of connection IDs, tokens and tickets, the same on every gateway of a site; written at the first start\n"
		"if it is not there, readable by its owner only. \"\" draws new ones at each start.",
		NULL},
};

#define ARRAY(text, table, count, entries, explanation)                                                  \
	{                                                                                                \
		text, explanation, table, sizeof(table) / sizeof((table)[0]), true,                      \
			offsetof(struct config, count), offsetof(struct config, entries),                \
			sizeof(((struct config *)0)->entries[0]),                                        \
			sizeof(((struct config *)0)->entries) / sizeof(((struct config *)0)->entries[0]) \
	}
#define SECTION(text, table, explanation)                                    \
	{                                                                    \
		text, explanation, table, sizeof(table) / sizeof((table)[0]) \
	}

const struct config_section config_sections[] = {
	ARRAY("port", port_keys, port_count, ports, "A network port; one such table for each."),
	SECTION("listen", listen_keys, "Where clients connect."),
	SECTION("shards", shards_keys, "Threads."),
	SECTION("memory", memory_keys, "All memory is taken at start; these say how it is shared out."),
	SECTION("tls", tls_keys, "TLS 1.3."),
	SECTION("quic", quic_keys, "Limits and times of QUIC."),
	SECTION("neighbours", neighbours_keys, "Who is on the link, by ARP and neighbour discovery."),
	SECTION("http3", http3_keys, "Limits of HTTP/3."),
	SECTION("services", services_keys, "What connections are for."),
	SECTION("bus", bus_keys, "Messages between shards, and topics, for the services that use them."),
	ARRAY("service", service_keys, service_count, service,
		"One more service, from a shared object; one such table for each."),
	SECTION("files", files_keys, "What h3 and hq serve."),
	SECTION("routing", routing_keys, "How packets find the shard of their connection."),
	SECTION("rebalance", rebalance_keys, "When and how the load of shards is evened out."),
	SECTION("idle", idle_keys, "What a shard does that has nothing to do."),
	SECTION("log", log_keys, "Lines for people, on standard error."),
	SECTION("control", control_keys, "Management."),
	SECTION("keys", keys_keys, "Keys of a site."),
};
const uint32_t config_section_count = sizeof(config_sections) / sizeof(config_sections[0]);

uint32_t *
config_entries(struct config *config, const struct config_section *section)
{
	return section->array ? (uint32_t *)(void *)((uint8_t *)config + section->count_offset) : NULL;
}

void *
config_member(struct config *config, const struct config_section *section, const struct config_key *key,
	uint32_t entry)
{
	return (uint8_t *)config + section->entries_offset + (size_t)entry * section->entry_bytes +
		key->offset;
}
