/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The live move of a connection from one shard to another, for the model checker spin. tests/spin/run.py checks it.
 *
 * One slot lives several lives (connections that follow each other in it). The shards, the manager, the peer and the
 * network act in any order that the rules allow:
 *
 *   network  a bag: a datagram may be lost, overtaken, late by lives, and may arrive at any shard, whatever its ID names;
 *            so every steering level of a port is covered, and a rule of a card that is late or wrong
 *   peer     sends at any moment, switches to the IDs it was offered at any moment, or never
 *   shard    takes its stages in any order, not in that of the turn: what holds here holds for the turn, too. Only one
 *            order is kept: letting go and freeing are for the end of a turn, when no burst refers to the connection
 *   manager  asks any shard to move any connection, from knowledge that may be a life old
 *
 * Left out: the order of memory accesses but for STALE, several IDs to a batch (they name the same shard), the wrap of the
 * generation (such a slot is retired), the limit of hops (a datagram makes one for each move that overtakes it), the messages
 * that bring free slots home (any shard may take the free slot here).
 *
 * Bounds and variants, given with -D:
 *   SHARDS 2 or 3, DATAGRAMS alive at once, LIVES of the slot, SEQUENCES of IDs after the first in each life,
 *   IN_FLIGHT moves the manager may have open, MAIL places for datagrams in a mailbox
 *   SENDS, MOVES  in all; UNLIMITED goes round for ever, which only assertions can be checked with
 *   STALE  a reader may see the word as it was before the last move
 *   FAIR   the network loses nothing, mailboxes are wide and the 3 PTO never pass: each move must come to its end by itself
 * FAULT_... removes one rule; the property that falls with it stands beside it in run.py.
 */
#define UNLIMITED 255
#ifndef SHARDS
#define SHARDS 2
#endif
#ifndef DATAGRAMS
#define DATAGRAMS 2
#endif
#ifndef LIVES
#define LIVES 2
#endif
#ifndef SEQUENCES
#define SEQUENCES 2
#endif
#ifndef IN_FLIGHT
#define IN_FLIGHT 2
#endif
#ifndef MAIL
#define MAIL 1
#endif
#ifndef SENDS
#define SENDS UNLIMITED
#endif
#ifndef MOVES
#define MOVES UNLIMITED
#endif
/*
 * A place for each message of the moves in flight, and to spare for connections that leave after their move was given up:
 * each other shard may look at the same moment, find room and write one.
 */
#if defined(FAULT_ONE_TO_SPARE) || defined(FAULT_LATE_UNCHECKED)
#define TO_SPARE 1
#else
#define TO_SPARE (SHARDS - 1)
#endif
#ifdef FAULT_FEW_PLACES
#define CONTROL_PLACES (IN_FLIGHT - 1)
#else
#define CONTROL_PLACES (IN_FLIGHT + TO_SPARE)
#endif

/* The properties. The number ends up in spin's message, where run.py reads it. */
#define ONE_OWNER 1        /* who touches the slot owns it, and no two shards have it on their lists */
#define OWNER_HANDLES 2    /* a datagram is handled by the owner, attached, in the life it was sent to */
#define FREED_ONCE 3       /* datagrams and slots, and none is forgotten */
#define NONE_LOST 4        /* what arrived for a living connection is handled, or counted at a full mailbox */
#define CONTROL_NEVER_BLOCKED 5 /* every control message finds a place */
#define MOVES_END 6        /* one RESULT to each MOVE, and an attached connection after it */
#define PEER_SWITCHED 7    /* the owner lets go only of a peer that has used the new IDs; one offer at a time */
#define REQUIRE(property, condition) assert((condition) || !(property))

#define NOBODY 7
#define NOTHING 7

mtype = { MOVE, GRANT, GRANT_LATE };

/* The slot's ownership word: owner, generation and "in transit" are read and written as one. */
byte word_owner = NOBODY;
byte word_life;
bool word_in_transit;
#ifdef STALE
byte word_owner_before = NOBODY;
#endif

/* The slot's memory, for its owner alone. */
bool moving;      /* a move is in flight: its RESULT is owed */
byte batch;       /* sequence of the IDs of the last move; 0: none */
byte target;      /* the shard they name */
bool switched;    /* the peer uses them: to be let go at the end of the turn */
byte issued;      /* sequence of the newest IDs, 0: those of the handshake */
byte named;       /* the shard that these name */
bool all_retired; /* the peer has retired all older ones */

/* On a shard's wheel and lists: what the shard finds there it works at. */
bool linked[SHARDS];
chan free_list = [1] of { bit };

/* Mailboxes, and the moves that the manager may still open. */
chan mail[SHARDS] = [MAIL] of { byte };
chan control[SHARDS] = [CONTROL_PLACES] of { mtype, byte /* target */, byte /* life */ };
chan results = [IN_FLIGHT] of { bit };
byte credit = IN_FLIGHT;
byte moves_left = MOVES;
byte sends_left = SENDS;

/* Datagrams: where each is, and the ID it carries. */
#define UNUSED 0
#define ON_THE_WAY 1
#define ARRIVED 2
byte place[DATAGRAMS];
byte sent_life[DATAGRAMS];
byte sent_sequence[DATAGRAMS];

/* The peer of the present life: the IDs it uses, and the offer that has not reached it. Lost frames are sent again. */
bool peer_there;
byte peer_sequence;
bool offered;
#ifdef FAIR
bool peer_answers; /* NEW_CONNECTION_ID elicits an acknowledgement */
#endif

/* What nobody in the model may look at but the properties. */
byte holder = NOBODY; /* who may touch the slot's memory */
byte living;          /* the published life, 0: none */
byte lives;
#ifdef FAULT_SWITCH_BY_NAME
byte name_of[SEQUENCES + 1];
#endif

#define TOUCH(me) REQUIRE(ONE_OWNER, holder == me)
#if SHARDS > 2
#define ON_NO_LIST (!linked[0] && !linked[1] && !linked[2])
#else
#define ON_NO_LIST (!linked[0] && !linked[1])
#endif

inline free_datagram(x)
{
	REQUIRE(FREED_ONCE, place[x] == ARRIVED);
	place[x] = UNUSED;
	sent_life[x] = 0;
	sent_sequence[x] = 0;
}

/* A datagram of a life that is over goes; one of the living must not. */
inline drop_unknown(x)
{
	REQUIRE(NONE_LOST, sent_life[x] != living);
	free_datagram(x);
}

inline hand_over(x, shard)
{
	if
	:: nfull(mail[shard]) -> mail[shard]!x;
#ifdef FAULT_FREE_HANDED
		free_datagram(x)
#endif
	:: full(mail[shard]) -> skip; /* counted */
#ifndef FAULT_KEEP_REFUSED
		free_datagram(x)
#endif
	fi
}

inline post_control(shard, kind, argument, life)
{
	REQUIRE(CONTROL_NEVER_BLOCKED, nfull(control[shard]));
	control[shard]!kind, argument, life
}

inline post_result()
{
	REQUIRE(CONTROL_NEVER_BLOCKED, nfull(results));
	results!0
}

/* First sight of a connection that is mine and in transit: timers, lists, service. Cannot fail. */
inline attach_if_in_transit()
{
	if
	:: word_in_transit ->
		TOUCH(me);
		REQUIRE(ONE_OWNER, ON_NO_LIST);
		d_step {
			word_in_transit = false;
#ifdef STALE
			word_owner_before = NOBODY; /* nobody reads a word older than two stores */
#endif
			linked[me] = true
		}
	:: else
	fi
}

/* Reads the word for datagram d of this shard's hands: it is kept in the burst, passed on, or nobody's. */
inline route()
{
	atomic {
		to = word_owner;
#ifdef STALE
		if
		:: word_owner_before != NOBODY && word_owner_before != me && !linked[me] -> to = word_owner_before
		:: true
		fi;
#endif
#ifdef FAULT_PASS_BY_NAME
		if
		:: to != NOBODY && target != me && moving -> to = target
		:: else
		fi;
#endif
#ifdef FAULT_NO_REREAD
		if
		:: from_mailbox && to != NOBODY -> to = me
		:: else
		fi;
		from_mailbox = false;
#endif
		if
		:: to == NOBODY -> drop_unknown(d); d = NOTHING
#ifndef FAULT_NO_GENERATION
		:: to != NOBODY && word_life != sent_life[d] -> drop_unknown(d); d = NOTHING; to = NOBODY
#endif
		:: else
		fi;
		if
		:: to == me ->
#ifdef FAULT_DROP_IN_TRANSIT
			if
			:: word_in_transit -> drop_unknown(d); d = NOTHING
			:: else
			fi;
#elif !defined(FAULT_NO_ATTACH_ON_SIGHT)
			attach_if_in_transit();
#endif
			if
			:: d != NOTHING && first == NOTHING -> first = d
			:: d != NOTHING && first != NOTHING -> second = d
			:: else
			fi;
			d = NOTHING;
			to = NOBODY
		:: else
		fi
	}
	/* The word may change between the look and the hand. */
	if
	:: atomic { to != NOBODY -> hand_over(d, to); d = NOTHING; to = NOBODY }
	:: to == NOBODY
	fi
}

#ifdef FAULT_SWITCH_BY_NAME
#define SWITCHES(x) (name_of[sent_sequence[x]] == target)
#else
#define SWITCHES(x) (sent_sequence[x] == batch)
#endif

/* The owner opens and handles one datagram. Every packet may carry the RETIRE_CONNECTION_ID frames. */
inline handle(x)
{
	TOUCH(me);
	REQUIRE(OWNER_HANDLES, word_owner == me && !word_in_transit && word_life == sent_life[x]);
	if
	:: sent_sequence[x] == issued -> all_retired = true
#ifndef FAIR
	:: true
#else
	:: else
#endif
	fi;
	/* Given up or not: who uses these IDs is on its way. */
	if
	:: batch != 0 && target != me && SWITCHES(x) -> switched = true
	:: else
	fi;
	free_datagram(x)
}

inline offer(shard)
{
	REQUIRE(PEER_SWITCHED, !offered);
	issued++;
	named = shard;
	all_retired = false;
	offered = true;
#ifdef FAULT_SWITCH_BY_NAME
	name_of[issued] = shard
#endif
}

/* MOVE: refused unless all is as it should be; the service may refuse, or the dwell time. */
inline take_move()
{
#ifdef FAULT_UNCHECKED_MOVE
#define MINE (word_owner != NOBODY)
#else
#define MINE (word_owner == me && !word_in_transit && word_life == life)
#endif
#ifdef FAULT_OFFER_EARLY
#define RETIRED true
#else
#define RETIRED (all_retired && named == me)
#endif
	if
	:: MINE ->
		TOUCH(me);
		if
		:: !moving && !switched && RETIRED && issued < SEQUENCES ->
			moving = true; target = argument; batch = issued + 1; offer(argument)
		:: post_result()
		fi
	:: else -> post_result()
	fi
}

/* A GRANT only wakes up; but a RESULT owed goes with it, whatever has become of the connection since. */
inline take_grant(owed)
{
	if
	:: word_owner == me && word_life == life -> attach_if_in_transit();
#ifdef FAULT_RESULT_OF_MINE
		if
		:: owed -> post_result()
		:: else
		fi
#endif
	:: else
	fi;
#if !defined(FAULT_RESULT_OF_MINE) && !defined(FAULT_RESULT_BY_OLD_OWNER)
	if
	:: owed -> post_result()
	:: else
	fi
#endif
}

inline store_new_owner()
{
	REQUIRE(PEER_SWITCHED, !peer_there || peer_sequence >= batch);
#ifdef FAULT_RESULT_BY_OLD_OWNER
	if
	:: moving -> post_result()
	:: else
	fi;
#endif
	d_step {
		moving = false;
		switched = false;
#ifdef STALE
		word_owner_before = me;
#endif
#ifndef FAULT_STAYS_LINKED
		linked[me] = false;
#endif
		word_owner = to;
		word_in_transit = true;
		holder = to
	}
}

#ifdef FAULT_LATE_UNCHECKED
#define ROOM_TO_SPARE(shard) true
#else
#define ROOM_TO_SPARE(shard) (CONTROL_PLACES - len(control[shard]) >= IN_FLIGHT + TO_SPARE)
#endif

/*
 * The end of the move on the old side. The new owner may attach, handle and even free between the two steps. A GRANT after
 * the move was given up has no place of its own, and goes only where there is room to spare; else the connection stays.
 */
inline let_go()
{
	atomic {
		TOUCH(me);
		if
		:: moving || ROOM_TO_SPARE(target) ->
			kind = (moving -> GRANT : GRANT_LATE); to = target; life = word_life;
#ifndef FAULT_GRANT_FIRST
			store_new_owner()
#endif
		:: else -> switched = false
		fi
	}
	if
	:: atomic { to != NOBODY -> post_control(to, kind, 0, life); kind = 0; life = 0;
#ifndef FAULT_GRANT_FIRST
			to = NOBODY
#endif
		}
#ifdef FAULT_GRANT_FIRST
		atomic { TOUCH(me); store_new_owner(); to = NOBODY }
#endif
	:: to == NOBODY
	fi
}

inline store_free()
{
	d_step {
#ifndef FAULT_WORD_KEEPS_OWNER
		word_owner = NOBODY;
#endif
		word_life++;
#ifdef STALE
		word_owner_before = NOBODY
#endif
	}
}

inline give_up_slot()
{
	TOUCH(me);
	if
	:: moving -> post_result()
	:: else
	fi;
	d_step {
		moving = false; batch = 0; target = 0; switched = false; issued = 0; named = 0; all_retired = false;
		linked[me] = false;
		living = 0;
		peer_there = false; peer_sequence = 0; offered = false;
		holder = NOBODY
	}
}

/* The connection is closed: word first, free list after it. */
inline free_slot()
{
	atomic {
		give_up_slot();
#ifndef FAULT_LISTED_FIRST
		store_free()
#endif
	}
	atomic { REQUIRE(FREED_ONCE, nfull(free_list)); free_list!0 }
#ifdef FAULT_LISTED_FIRST
	store_free()
#endif
}

/* The taker has initialised the slot: now it is visible, and its peer learns IDs. */
inline publish()
{
	d_step {
		TOUCH(me);
		REQUIRE(ONE_OWNER, ON_NO_LIST);
		word_owner = me;
		word_in_transit = false;
		linked[me] = true;
		living = word_life;
		named = me;
		all_retired = true;
		peer_there = true;
#ifdef FAULT_SWITCH_BY_NAME
		name_of[0] = me;
#endif
	}
}

#define BURST_HAS_ROOM (second == NOTHING)
#define BURST_IS_DONE (first == NOTHING)
#define TAKE_FROM_NETWORK(x) \
	atomic { BURST_HAS_ROOM && place[x] == ON_THE_WAY -> d = x; place[x] = ARRIVED }

proctype Shard(byte me)
{
	byte d = NOTHING;      /* taken and not routed */
	byte first = NOTHING;  /* the burst of this turn, routed to this shard */
	byte second = NOTHING;
	byte to = NOBODY;
	byte argument, life;
	mtype kind;
#ifdef FAULT_NO_REREAD
	bool from_mailbox;
#endif

end:
	do
	/* Receive and route. */
	:: TAKE_FROM_NETWORK(0); route()
#if DATAGRAMS > 1
	:: TAKE_FROM_NETWORK(1); route()
#endif
#if DATAGRAMS > 2
	:: TAKE_FROM_NETWORK(2); route()
#endif
	:: atomic { BURST_HAS_ROOM && nempty(mail[me]) -> mail[me]?d;
#ifdef FAULT_NO_REREAD
			from_mailbox = true
#endif
		}
		route()

	/* Process. */
	:: atomic { first != NOTHING -> handle(first); first = second; second = NOTHING }

	/* Control. */
	:: atomic { nempty(control[me]) && control[me]?[MOVE, _, _] ->
			control[me]?MOVE, argument, life; take_move(); argument = 0; life = 0 }
	:: atomic { nempty(control[me]) && control[me]?[GRANT, _, _] ->
			control[me]?GRANT, _, life; take_grant(true); life = 0 }
	:: atomic { nempty(control[me]) && control[me]?[GRANT_LATE, _, _] ->
			control[me]?GRANT_LATE, _, life; take_grant(false); life = 0 }

	/* Timers: 3 PTO without a switch; and IDs that name another, whose move came to nothing, are replaced. */
#if !defined(FAIR) && !defined(FAULT_NO_GIVING_UP)
	:: atomic { linked[me] && moving && !switched -> TOUCH(me); moving = false; post_result() }
#endif
	:: atomic { linked[me] && !moving && !switched && all_retired && named != me && issued < SEQUENCES -> TOUCH(me); offer(me) }

	/* The end of the turn. */
#ifdef FAULT_LET_GO_MID_TURN
	:: linked[me] && switched -> let_go()
#else
	:: BURST_IS_DONE && linked[me] && switched -> let_go()
#endif
#ifdef FAULT_FREE_MID_TURN
	:: linked[me] && lives < LIVES -> free_slot()
#else
	:: BURST_IS_DONE && linked[me] && lives < LIVES -> free_slot()
#endif

	/* A new connection. */
	:: atomic { nempty(free_list) && lives < LIVES -> free_list?_;
			REQUIRE(FREED_ONCE, holder == NOBODY); holder = me; lives++ }
		publish()
	od
}

proctype Manager()
{
	byte from, to;

end:
	do
	:: atomic { nempty(results) -> results?_; credit++; REQUIRE(MOVES_END, credit <= IN_FLIGHT) }
	:: atomic { credit > 0 && moves_left > 0 ->
			if
			:: moves_left != UNLIMITED -> moves_left--
			:: else
			fi;
			credit--;
			select(from : 0 .. SHARDS - 1);
			select(to : 0 .. SHARDS - 1);
			/* To itself a shard need not move. */
			if
			:: from == to -> to = (to + 1) % SHARDS
			:: else
			fi;
			post_control(from, MOVE, to, word_life); from = 0; to = 0 }
	od
}

inline send(x)
{
	place[x] = ON_THE_WAY;
	sent_life[x] = living;
	sent_sequence[x] = peer_sequence;
	if
	:: sends_left != UNLIMITED && sends_left > 0 -> sends_left--
	:: else
	fi;
#ifdef FAIR
	peer_answers = false
#endif
}

#ifdef FAIR
#define WANTS_TO_SEND (peer_there && (sends_left > 0 || peer_answers))
#else
#define WANTS_TO_SEND (peer_there && sends_left > 0)
#endif

/* The peer, and the network that loses what it sent. */
proctype Peer()
{
end:
	do
	:: atomic { WANTS_TO_SEND && place[0] == UNUSED -> send(0) }
#if DATAGRAMS > 1
	:: atomic { WANTS_TO_SEND && place[0] != UNUSED && place[1] == UNUSED -> send(1) }
#endif
#if DATAGRAMS > 2
	:: atomic { WANTS_TO_SEND && place[0] != UNUSED && place[1] != UNUSED && place[2] == UNUSED -> send(2) }
#endif
	/* NEW_CONNECTION_ID with Retire Prior To: it must switch at once. */
	:: atomic { offered -> offered = false; peer_sequence = issued;
#ifdef FAIR
			peer_answers = true
#endif
		}
#ifndef FAIR
	:: atomic { place[0] == ON_THE_WAY -> place[0] = ARRIVED; free_datagram(0) }
#if DATAGRAMS > 1
	:: atomic { place[1] == ON_THE_WAY -> place[1] = ARRIVED; free_datagram(1) }
#endif
#if DATAGRAMS > 2
	:: atomic { place[2] == ON_THE_WAY -> place[2] = ARRIVED; free_datagram(2) }
#endif
#endif
	od
}

/* Nothing can happen any more: what must then be so. With bounded SENDS and MOVES every run gets here. */
proctype AtTheEnd()
{
end:
	timeout ->
	REQUIRE(MOVES_END, credit == IN_FLIGHT);
	REQUIRE(MOVES_END, holder == NOBODY || !word_in_transit && linked[holder]);
	REQUIRE(ONE_OWNER, holder == NOBODY || word_owner == holder);
	REQUIRE(FREED_ONCE, holder != NOBODY || nempty(free_list) || lives == LIVES);
	REQUIRE(FREED_ONCE, place[0] == UNUSED);
#if DATAGRAMS > 1
	REQUIRE(FREED_ONCE, place[1] == UNUSED);
#endif
#if DATAGRAMS > 2
	REQUIRE(FREED_ONCE, place[2] == UNUSED);
#endif
}

/* All shards are alike, so the first life may begin on shard 0. Generations count from 1. */
init
{
	atomic {
		word_owner = 0;
		word_life = 1;
		holder = 0;
		lives = 1;
		living = 1;
		linked[0] = true;
		all_retired = true;
		peer_there = true;
		run Shard(0);
		run Shard(1);
#if SHARDS > 2
		run Shard(2);
#endif
		run Manager();
		run Peer();
		run AtTheEnd()
	}
}
