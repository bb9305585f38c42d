/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that the manager answers: the handler posts a request, waits for the manager's copy of the answer, and prints that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "manager/telemetry.h"
#include "manager/telemetry_parts.h"

enum { MOVE_WAIT_MS = 3000, WAIT_MS = 1000, NUMBERS_MAX = 3 };

static const char *
unanswered(enum manager_requests_result result)
{
	return result == MANAGER_REQUESTS_UNDER_WAY
		? "the client has not switched to the new connection IDs yet; the move goes on"
		: "the management thread is busy or about to end";
}

/* Waits without a lock, so that others are answered meanwhile. Something is always told. */
static bool
ask(const struct manager_request *request, uint32_t within_ms, struct manager_answer *answer)
{
	struct manager *manager = manager_telemetry_enter();
	enum manager_requests_result result;

	if (manager == NULL)
		return false;
	result = manager_requests_ask(&manager->requests, request, within_ms, answer);
	manager_telemetry_leave();
	if (result != MANAGER_REQUESTS_ANSWERED)
		*answer = (struct manager_answer){.text = unanswered(result)};
	return true;
}

static void
begin(struct rte_tel_data *data, const struct manager_answer *answer)
{
	rte_tel_data_start_dict(data);
	add_number(data, "done", answer->done);
	rte_tel_data_add_dict_string(data, "outcome", answer->text);
}

/* ---- parameters ---- */

/* Decimal digits, to the comma or the end; the rest of the text, or NULL: it is no such number. */
static const char *
number(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno != 0 || *value > most || (*end != ',' && *end != '\0'))
		return NULL;
	return *end == ',' ? end + 1 : end;
}

static bool
is_empty(const char *text)
{
	return text == NULL || text[0] == '\0';
}

/* "SLOT,GENERATION,SHARD". */
static bool
move_parameters(const char *text, struct manager_request *request)
{
	uint64_t numbers[NUMBERS_MAX];
	int count = 0;

	while (count < NUMBERS_MAX && !is_empty(text)) {
		text = number(text, UINT32_MAX, &numbers[count++]);
		if (text == NULL)
			return false;
	}
	if (count < NUMBERS_MAX || !is_empty(text))
		return false;
	request->handle = (struct quic_handle){(uint32_t)numbers[0], (uint32_t)numbers[1]};
	request->shard = numbers[2] > UINT16_MAX ? UINT16_MAX : (uint16_t)numbers[2];
	return true;
}

/* "on", "off" or nothing. */
static bool
turn_parameter(const char *text, enum manager_turn *turn)
{
	if (is_empty(text))
		*turn = MANAGER_LOOK;
	else if (strcmp(text, "on") == 0)
		*turn = MANAGER_TURN_ON;
	else if (strcmp(text, "off") == 0)
		*turn = MANAGER_TURN_OFF;
	else
		return false;
	return true;
}

/* "SHARD,on", "SHARD,off", the same with "all" for the whole gateway, or nothing. */
static bool
drain_parameters(const char *text, struct manager_request *request)
{
	uint64_t shard;

	if (is_empty(text)) {
		request->turn = MANAGER_LOOK;
		return true;
	}
	if (strncmp(text, "all,", 4) == 0) {
		request->shard = MANAGER_WHOLE_GATEWAY;
		text += 4;
	} else {
		text = number(text, UINT64_MAX, &shard);
		if (text == NULL)
			return false;
		/* One that there is not is refused with a sentence. */
		request->shard =
			(uint16_t)(shard < MANAGER_WHOLE_GATEWAY ? shard : MANAGER_WHOLE_GATEWAY - 1);
	}
	return turn_parameter(text, &request->turn) && request->turn != MANAGER_LOOK;
}

/* ---- answers ---- */

static int
answer_move(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct manager_request request = {.kind = MANAGER_ASK_MOVE};
	struct manager_answer answer;

	(void)command;
	if (!move_parameters(parameters, &request))
		return -EINVAL;
	if (!ask(&request, MOVE_WAIT_MS, &answer))
		return -ENOENT;
	begin(data, &answer);
	add_number(data, "moved", answer.done);
	return 0;
}

static int
add_shards(struct rte_tel_data *data, const struct manager_standing *standing)
{
	struct rte_tel_data *list = rte_tel_data_alloc();

	if (list == NULL)
		return -ENOMEM;
	start_numbers(list);
	for (uint16_t i = 0; i < standing->shards; i++) {
		add_array_number(list, standing->of[i].draining);
		add_array_number(list, standing->of[i].usable);
		add_array_number(list, standing->of[i].left);
		add_array_number(list, standing->of[i].permille);
		add_array_number(list, standing->of[i].place_to);
		add_array_number(list, standing->of[i].place_part);
	}
	return rte_tel_data_add_dict_container(data, "shards", list, 0);
}

static int
add_standing(struct rte_tel_data *data, const struct manager_standing *standing)
{
	const struct manager_policy_limits *limits = &standing->limits;

	add_number(data, "rebalancing", standing->rebalancing);
	add_number(data, "accepting", standing->accepting);
	add_number(data, "window_ms", standing->window_ms);
	add_number(data, "high_permille", limits->high_permille);
	add_number(data, "low_permille", limits->low_permille);
	add_number(data, "least_permille", limits->least_permille);
	add_number(data, "windows", limits->windows);
	add_number(data, "moves_per_s", limits->moves_per_second);
	add_number(data, "moves_in_flight", limits->moves_in_flight);
	add_number(data, "dwell_ms", limits->dwell_ns / BASE_MS);
	add_number(data, "across_sockets", limits->across_sockets);
	add_number(data, "in_flight", standing->in_flight);
	add_number(data, "windows_measured", standing->windows);
	for (unsigned i = 0; i < MANAGER_ASKER_COUNT; i++)
		for (unsigned j = 0; j < MANAGER_OUTCOME_COUNT; j++) {
			char name[RTE_TEL_MAX_STRING_LEN];

			snprintf(name, sizeof(name), "%s_%s", manager_asker_names[i],
				manager_outcome_names[j]);
			add_number(data, name, standing->totals[i][j]);
		}
	return add_shards(data, standing);
}

static int
answer_standing(const struct manager_request *request, struct rte_tel_data *data)
{
	struct manager_answer answer;

	if (!ask(request, WAIT_MS, &answer))
		return -ENOENT;
	begin(data, &answer);
	/* Only the manager's own answer has a standing; a refusal has it too. */
	return answer.standing.shards > 0 ? add_standing(data, &answer.standing) : 0;
}

static int
answer_rebalance(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct manager_request request = {.kind = MANAGER_ASK_REBALANCE};

	(void)command;
	return turn_parameter(parameters, &request.turn) ? answer_standing(&request, data) : -EINVAL;
}

static int
answer_drain(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct manager_request request = {.kind = MANAGER_ASK_DRAIN};

	(void)command;
	return drain_parameters(parameters, &request) ? answer_standing(&request, data) : -EINVAL;
}

/* Five numbers of each: slot, generation, shard, thousandths of its shard's work, whether it could be moved. */
static int
answer_heavy(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct manager_request request = {.kind = MANAGER_ASK_HEAVY};
	struct manager_answer answer;
	struct rte_tel_data *list;
	uint64_t count;

	(void)command;
	if (number(parameters, UINT32_MAX, &count) == NULL)
		return -EINVAL;
	request.count = (uint32_t)count;
	if (!ask(&request, WAIT_MS, &answer))
		return -ENOENT;
	list = rte_tel_data_alloc();
	if (list == NULL)
		return -ENOMEM;
	begin(data, &answer);
	start_numbers(list);
	for (uint32_t i = 0; i < answer.count; i++) {
		const struct manager_heavy *heavy = &answer.heavy[i];

		add_array_number(list, heavy->handle.slot);
		add_array_number(list, heavy->handle.generation);
		add_array_number(list, heavy->shard);
		add_array_number(list, heavy->permille);
		add_array_number(list, heavy->movable);
	}
	return rte_tel_data_add_dict_container(data, "connections", list, 0);
}

/*
 * Eight numbers of each: number, milliseconds ago, slot, generation, from, to, thousandths of its shard's work, whether it is a
 * bucket (slot) of a port (generation) instead; and three texts: who asked, the outcome in a word, and in a sentence.
 */
static int
answer_history(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct manager_request request = {.kind = MANAGER_ASK_HISTORY};
	struct manager_answer answer;
	struct rte_tel_data *numbers, *texts;

	(void)command;
	if (number(parameters, UINT64_MAX, &request.after) == NULL)
		return -EINVAL;
	if (!ask(&request, WAIT_MS, &answer))
		return -ENOENT;
	numbers = rte_tel_data_alloc();
	texts = rte_tel_data_alloc();
	if (numbers == NULL || texts == NULL) {
		rte_tel_data_free(numbers);
		rte_tel_data_free(texts);
		return -ENOMEM;
	}
	begin(data, &answer);
	start_numbers(numbers);
	rte_tel_data_start_array(texts, RTE_TEL_STRING_VAL);
	for (uint32_t i = 0; i < answer.count; i++) {
		const struct manager_move_record *record = &answer.records[i];

		add_array_number(numbers, record->number);
		add_array_number(numbers, (answer.now_ns - record->at_ns) / BASE_MS);
		add_array_number(numbers, record->handle.slot);
		add_array_number(numbers, record->handle.generation);
		add_array_number(numbers, record->from);
		add_array_number(numbers, record->to);
		add_array_number(numbers, record->permille);
		add_array_number(numbers, record->bucket);
		rte_tel_data_add_array_string(texts, manager_asker_names[record->asker]);
		rte_tel_data_add_array_string(texts, manager_outcome_names[record->outcome]);
		rte_tel_data_add_array_string(texts, record->text);
	}
	rte_tel_data_add_dict_container(data, "moves", numbers, 0);
	return rte_tel_data_add_dict_container(data, "texts", texts, 0);
}

bool
manager_telemetry_open_requests(void)
{
	return rte_telemetry_register_cmd("/millrace/move", answer_move,
		       "Moves a connection. Parameters: slot, generation, shard.") == 0 &&
		rte_telemetry_register_cmd("/millrace/rebalance", answer_rebalance,
			"Whether and how loads are evened out. Parameter: on or off.") == 0 &&
		rte_telemetry_register_cmd("/millrace/drain", answer_drain,
			"Empties a shard, or the gateway. Parameters: a shard's number or all, on or off.") ==
		0 &&
		rte_telemetry_register_cmd("/millrace/heavy", answer_heavy,
			"The heaviest connections. Parameter: how many.") == 0 &&
		rte_telemetry_register_cmd("/millrace/history", answer_history,
			"Moves that have ended. Parameter: the number of the last one that is known.") == 0;
}
