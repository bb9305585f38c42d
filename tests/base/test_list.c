/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/list.h"

struct element {
	int number;
	struct base_list link;
};

static void
list_push__keeps_order(void **state)
{
	struct base_list list;
	struct element elements[3] = {{.number = 0}, {.number = 1}, {.number = 2}};

	base_list_init(&list);
	base_list_push_back(&list, &elements[1].link);
	base_list_push_back(&list, &elements[2].link);
	base_list_push_front(&list, &elements[0].link);
	for (int i = 0; i < 3; i++)
		assert_int_equal(base_container(base_list_pop_front(&list), struct element, link)->number, i);
	assert_true(base_list_empty(&list));
	assert_null(base_list_pop_front(&list));
}

static void
list_remove__is_safe_on_a_link_in_no_list(void **state)
{
	struct base_list list;
	struct element element;

	base_list_init(&list);
	base_list_init(&element.link);
	base_list_remove(&element.link);
	base_list_push_back(&list, &element.link);
	base_list_remove(&element.link);
	base_list_remove(&element.link);
	assert_true(base_list_empty(&list));
	assert_true(base_list_empty(&element.link));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_push__keeps_order),
		cmocka_unit_test(list_remove__is_safe_on_a_link_in_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
