/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's handshake from scratch: a TLS session and no endpoint. */
#include "tests/support/cmocka_all.h"

#include "tests/conformance/raw_client.h"

#include <string.h>

void
raw_initial_keys(struct raw *raw, const struct quic_cid *dcid)
{
	struct raw_keys *keys = &raw->keys[QUIC_SPACE_INITIAL];
	bool client = raw->role == QUIC_CLIENT;
	struct crypto_packet_keys derived;

	*keys = (struct raw_keys){.present = true, .aead = CRYPTO_AES_128_GCM};
	crypto_initial_secrets(raw->crypto, dcid->octets, dcid->length, client ? keys->send : keys->receive,
		client ? keys->receive : keys->send);
	crypto_packet_keys_derive(raw->crypto, CRYPTO_AES_128_GCM, keys->send, &derived);
	memcpy(keys->send_hp, derived.hp, sizeof(keys->send_hp));
	crypto_packet_keys_derive(raw->crypto, CRYPTO_AES_128_GCM, keys->receive, &derived);
	memcpy(keys->receive_hp, derived.hp, sizeof(keys->receive_hp));
}

void
raw_from_scratch(struct raw *raw)
{
	raw->role = QUIC_CLIENT;
	raw->dcid = quic_cid("to begin", RAW_CID_BYTES);
	raw->scid = quic_cid("a client", RAW_CID_BYTES);
	raw->follow_scid = true;
	raw->next_packet_number[QUIC_SPACE_INITIAL] = 0;
	raw->largest_seen[QUIC_SPACE_INITIAL] = UINT64_MAX;
	raw_initial_keys(raw, &raw->dcid);
}

void
raw_hello(struct raw *raw, const uint8_t *parameters, size_t length)
{
	uint8_t octets[512];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct tls_start start = {.server_name = "localhost"};
	struct quic_params params;
	struct tls_event event;

	if (parameters == NULL) {
		quic_params_init(&params);
		params.has_initial_source_connection_id = true;
		params.initial_source_connection_id = raw->scid;
		assert_true(quic_params_write(&writer, &params, QUIC_CLIENT, NULL));
		parameters = octets;
		length = base_writer_length(&writer);
	}
	start.transport_parameters = parameters;
	start.transport_parameters_length = length;
	if (raw->session != NULL)
		tls_close(raw->session);
	raw->session = tls_open(raw->nodes[QUIC_CLIENT].tls, &start);
	assert_non_null(raw->session);
	raw->hello_length = 0;
	while (tls_next_event(raw->session, &event)) {
		if (event.type != TLS_EVENT_CRYPTO)
			continue;
		assert_true(raw->hello_length + event.length <= RAW_HELLO_BYTES);
		memcpy(raw->hello + raw->hello_length, event.octets, event.length);
		raw->hello_length += event.length;
	}
	assert_true(raw->hello_length > 0);
}

void
raw_send_hello(struct raw *raw)
{
	struct quic_frame frame = {
		.type = QUIC_FRAME_CRYPTO, .stream = {.octets = raw->hello, .length = raw->hello_length}};

	raw_frame(raw, QUIC_PACKET_INITIAL, &frame);
}

static const enum quic_packet_number_space spaces[TLS_LEVEL_COUNT] = {
	[TLS_LEVEL_INITIAL] = QUIC_SPACE_INITIAL,
	[TLS_LEVEL_HANDSHAKE] = QUIC_SPACE_HANDSHAKE,
	[TLS_LEVEL_APPLICATION] = QUIC_SPACE_APPLICATION,
};

static void
install_secret(struct raw *raw, const struct tls_event *event)
{
	struct raw_keys *keys = &raw->keys[spaces[event->level]];
	bool sending = event->direction == TLS_SEND;
	struct crypto_packet_keys derived;

	keys->aead = CRYPTO_AES_128_GCM;
	assert_int_equal(event->cipher_suite, TLS_AES_128_GCM_SHA256);
	crypto_packet_keys_derive(raw->crypto, CRYPTO_AES_128_GCM, event->octets, &derived);
	memcpy(sending ? keys->send : keys->receive, event->octets, CRYPTO_INITIAL_SECRET_BYTES);
	memcpy(sending ? keys->send_hp : keys->receive_hp, derived.hp, sizeof(derived.hp));
	keys->present = true;
}

/* CRYPTO octets of one packet go to TLS; what TLS answers is a datagram in the making. */
static void
answer_crypto(struct raw *raw, const struct raw_packet *packet)
{
	static const uint8_t ack_of_first[] = {QUIC_FRAME_ACK, 0, 0, 0, 0};
	enum tls_level level = packet->type == QUIC_PACKET_INITIAL ? TLS_LEVEL_INITIAL : TLS_LEVEL_HANDSHAKE;
	struct base_reader reader = base_reader(packet->payload, packet->length);
	struct quic_frame frame;
	struct tls_event event;
	uint64_t type;

	while (base_reader_left(&reader) > 0 && packet->type != QUIC_PACKET_ONE_RTT) {
		assert_int_equal(quic_frame_parse(&reader, packet->type, &frame, &type), 0);
		if (frame.type != QUIC_FRAME_CRYPTO)
			continue;
		assert_int_equal(
			tls_receive(raw->session, level, frame.stream.octets, frame.stream.length), 0);
		while (tls_next_event(raw->session, &event)) {
			uint8_t octets[RAW_HELLO_BYTES];
			struct base_writer writer = base_writer(octets, sizeof(octets));
			struct quic_frame answer = {.type = QUIC_FRAME_CRYPTO,
				.stream = {.octets = event.octets, .length = event.length}};

			if (event.type == TLS_EVENT_SECRET)
				install_secret(raw, &event);
			if (event.type != TLS_EVENT_CRYPTO)
				continue;
			assert_true(quic_frame_write(&writer, &answer));
			if (raw->finish_with_more) {
				assert_true(quic_frame_write(&writer, &answer));
				base_writer_octets(&writer, ack_of_first, sizeof(ack_of_first));
			}
			raw_packet(raw, QUIC_PACKET_HANDSHAKE, octets, base_writer_length(&writer));
		}
	}
}

void
raw_finish_handshake(struct raw *raw)
{
	uint64_t confirmed = raw_counter(raw, "confirmed");

	/* The server's Handshake packets came before their keys: they are opened once more. */
	for (uint32_t i = 0; i < raw->packet_count; i++) {
		struct raw_packet *packet = &raw->packets[i];

		if (packet->type == QUIC_PACKET_TYPE_COUNT) {
			struct raw_datagram again = raw->datagrams[packet->datagram];
			struct base_datagram datagram = {
				.octets = again.octets, .length = again.length, .path = again.path};
			uint32_t before = raw->packet_count;

			raw_keep(raw, &datagram);
			for (uint32_t k = before; k < raw->packet_count; k++)
				if (raw->packets[k].type == QUIC_PACKET_HANDSHAKE)
					*packet = raw->packets[k];
			raw->packet_count = before;
		}
		answer_crypto(raw, packet);
	}
	assert_true(raw->out_length > 0);
	raw_send(raw);
	assert_int_equal(raw_counter(raw, "confirmed"), confirmed + 1);
	raw_forget(raw);
}
