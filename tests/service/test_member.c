/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/member.h"

#include "tests/support/cmocka_all.h"

enum { HELD = 4 };

static enum service_order
order(struct service_member *member, struct base_pool *held, uint32_t subscription, uint32_t number)
{
	const struct service_post post = {.subscription = subscription, .number = number};

	return service_member_order(member, service_member_by_id(member, subscription), &post, held, 1000);
}

static void
assert_next(struct service_member *member, struct base_pool *held, uint32_t subscription, uint32_t number)
{
	struct service_post post;

	assert_true(service_member_next(member, held, &post));
	assert_int_equal(post.subscription, subscription);
	assert_int_equal(post.number, number);
}

static void
service_member_may_post__keeps_a_rate_and_allows_a_burst(void **state)
{
	struct service_member member;

	service_member_init(&member, (struct quic_handle){1, 2});
	for (int i = 0; i < 3; i++)
		assert_true(service_member_may_post(&member, 5000, 100, 3));
	assert_false(service_member_may_post(&member, 5000, 100, 3));
	assert_int_equal(service_member_post_ns(&member, 100, 3), 5100);
	assert_false(service_member_may_post(&member, 5099, 100, 3));
	assert_true(service_member_may_post(&member, 5100, 100, 3));
	service_member_unpost(&member, 100);
	assert_true(service_member_may_post(&member, 5100, 100, 3));
	/* A long silence saves up no more than a burst. */
	for (int i = 0; i < 3; i++)
		assert_true(service_member_may_post(&member, 900000, 100, 3));
	assert_false(service_member_may_post(&member, 900000, 100, 3));
}

static void
service_member_order__puts_right_what_came_too_early(void **state)
{
	struct base_pool *held = base_pool_open(NULL, sizeof(struct service_held), HELD);
	struct service_member member;
	struct service_post post;

	service_member_init(&member, (struct quic_handle){1, 2});
	service_member_subscribe(&member, 100, 7, 1);
	service_member_subscribe(&member, 101, 8, 1);
	assert_int_equal(order(&member, held, 7, 0), SERVICE_ORDER_NEXT);
	assert_int_equal(order(&member, held, 7, 3), SERVICE_ORDER_HELD);
	assert_int_equal(order(&member, held, 7, 2), SERVICE_ORDER_HELD);
	/* Another topic goes its own way. */
	assert_int_equal(order(&member, held, 8, 0), SERVICE_ORDER_NEXT);
	assert_int_equal(order(&member, held, 8, 2), SERVICE_ORDER_HELD);
	assert_false(service_member_next(&member, held, &post));
	assert_int_equal(order(&member, held, 7, 1), SERVICE_ORDER_NEXT);
	assert_next(&member, held, 7, 2);
	assert_next(&member, held, 7, 3);
	assert_false(service_member_next(&member, held, &post));
	assert_int_equal(order(&member, held, 7, 2), SERVICE_ORDER_PAST);
	assert_int_equal(member.held_count, 1);
	service_member_unsubscribe(&member, service_member_by_topic(&member, 101), held);
	assert_int_equal(held->in_use, 0);
	assert_null(service_member_by_id(&member, 8));
	service_member_fini(&member, held);
	base_pool_close(held);
}

static void
service_member_order__is_bounded_by_the_pool(void **state)
{
	struct base_pool *held = base_pool_open(NULL, sizeof(struct service_held), HELD);
	struct service_member member;

	service_member_init(&member, (struct quic_handle){1, 2});
	service_member_subscribe(&member, 100, 7, 1);
	for (uint32_t i = 1; i <= HELD; i++)
		assert_int_equal(order(&member, held, 7, i), SERVICE_ORDER_HELD);
	assert_int_equal(order(&member, held, 7, HELD + 1), SERVICE_ORDER_FULL);
	service_member_fini(&member, held);
	assert_int_equal(held->in_use, 0);
	base_pool_close(held);
}

static void
service_member_give_up__goes_on_with_what_there_is(void **state)
{
	struct base_pool *held = base_pool_open(NULL, sizeof(struct service_held), HELD);
	struct service_member member;
	struct service_post post;

	service_member_init(&member, (struct quic_handle){1, 2});
	service_member_subscribe(&member, 100, 7, 1);
	order(&member, held, 7, 0);
	assert_int_equal(service_member_give_up(&member), 0);
	order(&member, held, 7, 5);
	order(&member, held, 7, 3);
	assert_int_equal(member.held_since_ns, 1000);
	assert_int_equal(service_member_give_up(&member), 2);
	assert_next(&member, held, 7, 3);
	assert_false(service_member_next(&member, held, &post));
	assert_int_equal(service_member_give_up(&member), 1);
	assert_next(&member, held, 7, 5);
	service_member_fini(&member, held);
	base_pool_close(held);
}

/* Numbers wrap after some days of a busy topic. */
static void
service_member_order__goes_on_when_numbers_wrap(void **state)
{
	struct base_pool *held = base_pool_open(NULL, sizeof(struct service_held), HELD);
	struct service_member member;
	struct service_post post;

	service_member_init(&member, (struct quic_handle){1, 2});
	service_member_subscribe(&member, 100, 7, 1)->next_number = UINT32_MAX - 1;
	assert_int_equal(order(&member, held, 7, 0), SERVICE_ORDER_HELD);
	assert_int_equal(order(&member, held, 7, UINT32_MAX - 1), SERVICE_ORDER_NEXT);
	assert_false(service_member_next(&member, held, &post));
	assert_int_equal(order(&member, held, 7, UINT32_MAX), SERVICE_ORDER_NEXT);
	assert_next(&member, held, 7, 0);
	assert_int_equal(order(&member, held, 7, UINT32_MAX), SERVICE_ORDER_PAST);
	member.subscriptions[0].next_number = UINT32_MAX - 1;
	assert_int_equal(order(&member, held, 7, 1), SERVICE_ORDER_HELD);
	assert_int_equal(order(&member, held, 7, UINT32_MAX), SERVICE_ORDER_HELD);
	assert_int_equal(service_member_give_up(&member), 1);
	assert_next(&member, held, 7, UINT32_MAX);
	assert_int_equal(service_member_give_up(&member), 1);
	assert_next(&member, held, 7, 1);
	service_member_fini(&member, held);
	base_pool_close(held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_member_may_post__keeps_a_rate_and_allows_a_burst),
		cmocka_unit_test(service_member_order__puts_right_what_came_too_early),
		cmocka_unit_test(service_member_order__is_bounded_by_the_pool),
		cmocka_unit_test(service_member_give_up__goes_on_with_what_there_is),
		cmocka_unit_test(service_member_order__goes_on_when_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
