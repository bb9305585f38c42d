/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each look at the invariants can fail: faults of the simulator's own making (shards.c, do_wrong() and others), and what finds them. */
#include "tests/sim/scenario.h"
#include "tests/sim/shards.h"

const struct sim_plant_case sim_plants[] = {
	{"O1, another's slot written to", SIM_PLANT_SLOT_TOUCHED, "crowd", "touched slot"},
	{"O2, another's word written", SIM_PLANT_WORD_WRITTEN, "crowd", "wrote the word of slot"},
	{"O3, a datagram handed over and handled", SIM_PLANT_DATAGRAM_KEPT, "crowd", "who did not hold it"},
	{"O4, a turn that asks the heap", SIM_PLANT_HEAP, "crowd", "asked the heap"},
	{"O5, control messages without a place", SIM_PLANT_CONTROL_CROWDED, "crowd", "control mailbox"},
	{"O5, a drop that is not counted", SIM_PLANT_DROP_UNCOUNTED, "full_mailboxes", "are accounted for"},
	{"O6, an element kept", SIM_PLANT_ELEMENT_KEPT, "crowd", "were not given back"},
	{"O6, an element given back twice", SIM_PLANT_ELEMENT_TWICE, "crowd", "that nobody had"},
	{"O6, an element miscounted", SIM_PLANT_POOL_MISCOUNTED, "crowd", "and the shards have"},
	{"O7, a received datagram that goes too early", SIM_PLANT_RECEIVED_EARLY, "crowd",
		"are not those sent"},
	{"O7, a chunk that is not charged", SIM_PLANT_CHARGE_LOST, "crowd", "is charged for"},
	{"O8, lent octets written to", SIM_PLANT_LENT_CHANGED, "crowd", "have changed"},
	{"O8, a cookie released twice", SIM_PLANT_COOKIE_TWICE, "crowd", "was released that was not lent"},
	{"TLS memory of another shard", SIM_PLANT_TLS_ELSEWHERE, "crowd", "took TLS memory"},
	{"a result told twice", SIM_PLANT_RESULT_TWICE, "crowd", "the result of twice"},
	{"a result not told", SIM_PLANT_RESULT_LOST, "crowd", "no result"},
	{"a GRANT lost", SIM_PLANT_GRANT_LOST, "crowd", "is in transit since"},
	{"a retired ID that is not replaced", SIM_PLANT_IDS_MISSING, "crowd", "connection IDs of slot"},
	{"an ID used after the client wants it retired", SIM_PLANT_ID_USED_ON, "renewing",
		"is to be retired"},
	{"retired IDs not taken any more", SIM_PLANT_LINGERS_SHORT, "disorderly", "retired IDs were dropped"},
	{"an ID that names another shard", SIM_PLANT_ID_ASTRAY, "crowd", "names shard"},
	{"a service not told of a move", SIM_PLANT_STATE_STAYS, "crowd", "was not under way"},
	{"a shard that ends too early", SIM_PLANT_ENDS_EARLY, "stopping", "is in transit since"},
	{"a post lost", SIM_PLANT_POST_LOST, "posts", "are accounted for"},
	{"moves that are not made", SIM_PLANT_NOT_EVENED, "uneven", "of the mean after"},
	{"an owner that pauses", SIM_PLANT_PAUSE, "sparse", "waited"},
};
const unsigned sim_plant_count = sizeof(sim_plants) / sizeof(sim_plants[0]);
