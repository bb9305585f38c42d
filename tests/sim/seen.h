/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened in a run, counted, so that a scenario can be asked whether what it is for has happened at all in its seeds. */
#ifndef SIM_SEEN_H
#define SIM_SEEN_H

#include <stdint.h>

enum sim_seen {
	SIM_SEEN_MOVES,           /* connections attached to another shard */
	SIM_SEEN_BY_SIGHT,        /* by a datagram that overtook the GRANT */
	SIM_SEEN_LATE,            /* after the move was given up */
	SIM_SEEN_KEPT,            /* the same, and the target had no place for the message */
	SIM_SEEN_ABANDONED,       /* the peer did not switch in time */
	SIM_SEEN_CLOSED_WAITING,  /* the connection closed while its move waited for the peer */
	SIM_SEEN_NO_IDS,          /* refused: the window of sequence numbers is full */
	SIM_SEEN_SERVICE_REFUSED, /* refused by the service */
	SIM_SEEN_STRAY,           /* a datagram of a slot's last life */
	SIM_SEEN_MAILBOX_FULL,    /* datagrams dropped for it */
	SIM_SEEN_CONTROL_FULL,    /* as many control messages wait for a shard as there may be of moves */
	SIM_SEEN_SLOTS_HOME,      /* messages with free slots */
	SIM_SEEN_SLOTS_LENT,      /* to a shard that is not their home */
	SIM_SEEN_GIVEN_ELSEWHERE, /* pool elements given back by another shard than took them */
	SIM_SEEN_RETIRED_DROPS,   /* packets with an ID that was retired long ago */
	SIM_SEEN_RESETS,          /* stateless resets taken by the gateway */
	SIM_SEEN_IDLE_TIMEOUTS,   /* of the gateway's */
	SIM_SEEN_CLIENT_SWITCHES, /* the client retired the ID it used, unasked */
	SIM_SEEN_CLIENT_RENEWALS, /* the client issued IDs with Retire Prior To above all others */
	SIM_SEEN_FOLLOWED,        /* and the gateway went over to them */
	SIM_SEEN_HELD_UP,         /* connections whose shard was held up */
	SIM_SEEN_HELD_MOVES,      /* moves to or from it meanwhile */
	SIM_SEEN_STOPPED_TRANSIT, /* in transit to a shard that was about to end */
	SIM_SEEN_DECIDED,         /* moves that the policy decided */
	SIM_SEEN_PLACED,          /* new connections that begin on another shard than their home */
	SIM_SEEN_POSTS,           /* posts of services delivered */
	SIM_SEEN_POSTS_FOLLOWED,  /* to connections, through more than one ring */
	SIM_SEEN_POSTS_REFUSED,   /* since the ring was full */
	/* In what state connections were as they left their shard. */
	SIM_SEEN_WITH_HALF_READ, /* received octets that the application has not taken */
	SIM_SEEN_WITH_GAPS,      /* octets received out of order */
	SIM_SEEN_WITH_BLOCKED,   /* octets to send and no flow-control credit */
	SIM_SEEN_WITH_PACING,    /* the pacer's time had not come */
	SIM_SEEN_WITH_PROBES,    /* a PTO had expired, and nothing acknowledged since */
	SIM_SEEN_WITH_DATAGRAMS, /* DATAGRAM frames queued */
	SIM_SEEN_WITH_CHALLENGE, /* a path was being validated */
	SIM_SEEN_WITH_OLD_KEYS,  /* a key update of ours not acknowledged, or keys of before one still kept */
	SIM_SEEN_WITH_LENT,      /* octets lent to the core and not released */
	SIM_SEEN_COUNT
};

extern const char *const sim_seen_names[SIM_SEEN_COUNT];

#define SIM_SAW(what) (UINT64_C(1) << (what))

#endif
