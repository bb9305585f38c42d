/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/crypto_stream.h"

enum { CHUNKS = 8, SEGMENTS = 4, LIMIT_BYTES = 4096 };

static struct base_pool *chunks;
static struct quic_memory memory;
static struct quic_segment segments[SEGMENTS];
static struct quic_chunk_account account;
static struct quic_crypto_stream stream;
static uint8_t octets[2 * LIMIT_BYTES];

static int
set_up(void **state)
{
	(void)state;
	chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, CHUNKS);
	quic_memory_init(&memory, chunks, NULL, segments, SEGMENTS, 0);
	account = (struct quic_chunk_account){.limit = 4};
	quic_crypto_stream_init(&stream);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + i / 256);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_crypto_stream_fini(&stream, &memory, &account);
	quic_memory_fini(&memory);
	assert_int_equal(chunks->in_use, 0);
	base_pool_close(chunks);
	return 0;
}

static uint64_t
receive(uint64_t offset, size_t length)
{
	return quic_crypto_stream_receive(
		&stream, &memory, &account, offset, octets + offset, length, LIMIT_BYTES);
}

/* A ClientHello in two Initial packets, the second one first. */
static void
receive__puts_two_packets_in_order(void **state)
{
	const uint8_t *at;
	size_t length, total = 0;

	(void)state;
	assert_int_equal(receive(1100, 400), QUIC_NO_ERROR);
	assert_false(quic_recv_buffer_read(&stream.receive, &memory, &at, &length));
	assert_int_equal(receive(0, 1100), QUIC_NO_ERROR);
	while (quic_recv_buffer_read(&stream.receive, &memory, &at, &length)) {
		assert_memory_equal(at, octets + total, length);
		total += length;
		quic_recv_buffer_consume(&stream.receive, &memory, &account, length);
	}
	assert_int_equal(total, 1500);
}

/* RFC 9000 section 7.5: what exceeds the buffer closes the connection with CRYPTO_BUFFER_EXCEEDED. */
static void
receive__beyond_the_buffer_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(receive(LIMIT_BYTES, 1), QUIC_CRYPTO_BUFFER_EXCEEDED);
	assert_int_equal(receive(LIMIT_BYTES - 1, 1), QUIC_NO_ERROR);
	assert_int_equal(receive(0, 100), QUIC_NO_ERROR);
	quic_recv_buffer_consume(&stream.receive, &memory, &account, 100);
	assert_int_equal(receive(LIMIT_BYTES, 100), QUIC_NO_ERROR);
}

static void
receive__without_memory_says_so(void **state)
{
	(void)state;
	account.limit = 0;
	assert_int_equal(receive(1, 10), QUIC_SHORT_OF_MEMORY);
	assert_int_equal(stream.receive.highest_end, 0);
	assert_int_equal(receive(0, 10), QUIC_NO_ERROR);
}

static void
write__is_sent_repeated_and_released(void **state)
{
	struct quic_send_piece piece;
	uint8_t out[600];

	(void)state;
	assert_true(quic_crypto_stream_write(&stream, &memory, octets, 900));
	assert_true(quic_crypto_stream_next(&stream, 600, &piece));
	assert_int_equal(piece.length, 600);
	assert_false(piece.fin);
	quic_send_buffer_on_sent(&stream.send, &piece);
	quic_send_buffer_on_lost(&stream.send, &memory, 0, 600, false);
	assert_true(quic_crypto_stream_next(&stream, 600, &piece));
	assert_int_equal(piece.offset, 0);
	quic_send_buffer_copy(&stream.send, piece.offset, out, piece.length);
	assert_memory_equal(out, octets, 600);
	quic_send_buffer_on_sent(&stream.send, &piece);
	assert_true(quic_crypto_stream_next(&stream, 600, &piece));
	assert_int_equal(piece.offset, 600);
	assert_int_equal(piece.length, 300);
	quic_send_buffer_on_sent(&stream.send, &piece);
	assert_false(quic_crypto_stream_next(&stream, 600, &piece));
	quic_send_buffer_on_acked(&stream.send, &memory, 0, 900, false);
	assert_int_equal(chunks->in_use, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(receive__puts_two_packets_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(receive__beyond_the_buffer_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(receive__without_memory_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(write__is_sent_repeated_and_released, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
