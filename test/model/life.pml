/* SPDX-License-Identifier: MIT */
/*
 * The life of a slot, for spin: what the programs of the path btf, passes, reclaim and the scan of user space do to each other, with
 * a step for each access to memory that several share. make model runs it, test/model/model.t says with which sizes;
 * docs/design.md says what it shows and what it does not.
 *
 *	here			in the code
 *	task()			the kernel: a task is born, runs, exits, is released (no pass meets it) and freed
 *	make_tenancy		make_tenancy(): storage with its first value comes into being at once (rstat.bpf.c)
 *	take_number, pop_old	take_number(), pop_old(), pop_from() (slots.h)
 *	give_slot, fill_slot	give_slot(), fill_slot(), settle() and adopt(), which call it
 *	note_incoming, record_outgoing	the same; cpu->now is local here: one CPU writes and reads it (running.pml has the rest)
 *	note_stored		note_incoming() where the task is not among the recent ones
 *	on_free, on_reclaim	the same
 *	mark, set_mark, free_number	the same; WINDOW: of the epochs whose marks scan_marked() looks for (tasks.c)
 *	user()			monitor_take(): a pass (probe_refresh(), on_seed()), probe_begin_scan(), tasks_read()
 *				with scan_slot() and read_slot(), probe_complete()
 *
 * Two CPUs: at most two programs are under way, besides those that user() runs, which may be preempted anywhere, as all
 * programs may on some kernels. Map operations are one step: the kernel has a lock around them. A key is one word, what is
 * stored there as well. CPU time passes in units of one per run. stack[] are sets: which of several numbers a pop
 * finds is any.
 *
 * BROKEN_x are defects, each of which has to be found; where the same is taken out of the code by test/mutants,
 * its name is given.
 */
#ifndef TASKS
#define TASKS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef RUNS
#define RUNS 1		/* of each task, at the most */
#endif
#ifndef ROUNDS
#define ROUNDS 2	/* samples while tasks live; more follow when they have ended */
#endif
#ifdef BROKEN_WINDOW
#define WINDOW 2
#else
#define WINDOW 3
#endif
#define LAST_ROUNDS 4	/* to find all that was left: a pass, the next scan, three stacks */

#define NO_SLOT 0
#define KEY_DROPPED 4
#define KEY_GIVING 8	/* somebody is about to give it one */
#define GONE 1		/* another was faster */
#define KEY(number, generation) ((number) + 1 + 4 * (generation))
#define HAS_SLOT(key) ((key) & 3)
#define IS_DROPPED(key) (!HAS_SLOT(key) && (key) & KEY_DROPPED)
#define NUMBER(key) (((key) & 3) - 1)
#define GENERATION(key) ((key) >> 2)
#define NONE 7		/* no number */
#define ANOTHER 6	/* the epoch has moved */
#define BIT(number) (1 << (number))

/* ---- what the probe and user space share */
byte now = 4;			/* epoch.now: no slot is marked yet */
byte high, allocated, freed;	/* counters */
byte dropped, regained;
byte jiffies = 1, sampled_jiffies = 1;
byte stack[3];			/* free0_map .. free2_map */
byte generation[SLOTS], used[SLOTS], tgid[SLOTS], stamp[SLOTS];
byte marks[SLOTS], own_mark[SLOTS];	/* behind the slots, and slot.mark */
bit dead[SLOTS], state_dead[SLOTS];

/* ---- the kernel: tasks */
bit listed[TASKS];		/* in the table of pids: a pass meets it */
bit exits[TASKS];		/* __state is TASK_DEAD: the next switch from it is the last */
byte total[TASKS];		/* se.sum_exec_runtime */
bit stored[TASKS];		/* has a tenancy */
byte key[TASKS], base[TASKS];
#ifdef RECENT
byte recent_key[TASKS], recent_base[TASKS];	/* what it held when it ran on some CPU */
#endif
byte over;			/* tasks that are freed, or will not run again */
bit passing, grace[TASKS];	/* RCU: a task is freed when the pass program has ended that was under way when it was released */

/* ---- what must hold, known to none of them */
bit taken[SLOTS];		/* the number is some task's, or on its way */
byte used_by[SLOTS];		/* whose time stands in used */
byte other[TASKS];		/* of the sum of other_ns: what this task has used */
byte reported[TASKS];		/* what user space has added up under this task's name */
bit ended[TASKS];		/* user space has counted its end */
byte busy;			/* CPUs */

inline take_cpu() { atomic { busy < 2 -> busy++ } }
inline leave_cpu() { d_step { busy--; epoch = 0; number = 0; before = 0; taken_in = 0; now_key = 0; now_base = 0; since = 0 } }

/* ---- numbers */

inline push_to(epoch, number)
{
	d_step {
		assert(taken[number]);
		assert(!((stack[0] | stack[1] | stack[2]) & BIT(number)));	/* not put back twice */
		taken[number] = 0;
		stack[(epoch) % 3] = stack[(epoch) % 3] | BIT(number);
	}
}

inline pop_from(epoch, number)
{
	atomic {
		if
		:: stack[(epoch) % 3] & 1 -> number = 0
#if SLOTS > 1
		:: stack[(epoch) % 3] & 2 -> number = 1
#endif
#if SLOTS > 2
		:: stack[(epoch) % 3] & 4 -> number = 2
#endif
		:: else -> number = NONE
		fi;
		if
		:: number != NONE ->
			assert(!taken[number]);		/* not used twice */
			taken[number] = 1;
			stack[(epoch) % 3] = stack[(epoch) % 3] & ~BIT(number)
		:: else
		fi
	}
}

inline pop_old()
{
	epoch = now;
#ifdef BROKEN_POP		/* mutant: epochs */
	pop_from(epoch, number);
#else
	pop_from(epoch + 1, number);
#endif
#ifndef BROKEN_NO_RECHECK
	if
	:: number != NONE && now != epoch ->
		push_to(epoch + 1, number);
		number = ANOTHER
	:: else
	fi
#endif
}

/* epoch, number: the caller's. number: NONE where none is free. */
inline take_number()
{
	pop_old();
	if
	:: number == ANOTHER ->
		pop_old();
		if :: number == ANOTHER -> number = NONE :: else fi
	:: else
	fi;
	if
	:: number == NONE && high < SLOTS ->
#ifdef BROKEN_HIGH		/* counted up in two steps */
		number = high;
		high = number + 1;
		d_step {
			if :: number >= SLOTS -> number = NONE :: else -> assert(!taken[number]); taken[number] = 1 fi
		}
#else
		d_step {
			number = high;
			high++;
			if :: number < SLOTS -> assert(!taken[number]); taken[number] = 1 :: else fi
		};
		if
		:: number >= SLOTS -> number = NONE; high--
		:: else
		fi
#endif
	:: else
	fi
}

/* ---- marks. taken_in: the epoch that the writer takes */

inline set_mark(n)
{
	taken_in = now;
	marks[n] = taken_in;
	own_mark[n] = taken_in
}

inline mark(n)
{
#ifndef BROKEN_NO_MARK
	if
	:: own_mark[n] != now -> set_mark(n)
	:: else
	fi;
#endif
	taken_in = 0
}

inline free_number(n)
{
	set_mark(n);
#ifndef BROKEN_EPOCH_FIRST
	epoch = now;
#endif
	taken_in = 0;
#ifndef BROKEN_NO_PUSH		/* mutant: numbers are used again */
	push_to(epoch, n)
#endif
}

/* ---- a slot for a task */

inline make_tenancy(t)
{
	atomic {
		if
		:: !stored[t] ->
			stored[t] = 1;
			key[t] = NO_SLOT;
#ifdef BROKEN_BASE
			base[t] = 0
#else
			base[t] = total[t]
#endif
		:: else
		fi
	}
}

inline fill_slot(number, t)
{
	generation[number]++;
	dead[number] = 0;
	d_step { used[number] = 0; used_by[number] = t + 1 };
	d_step { tgid[number] = t + 1; state_dead[number] = exits[t] };
	stamp[number] = jiffies;
	generation[number]++;
	mark(number)
}

/* epoch, number, before: the caller's. */
inline give_slot(t)
{
	before = key[t];
	if
	:: HAS_SLOT(before) || (before & KEY_GIVING)
	:: else ->
#ifdef BROKEN_BASE		/* whoever tries, whether he is first or not */
		if :: before == NO_SLOT -> base[t] = total[t] :: else fi;
#endif
#ifdef BROKEN_CLAIM		/* who is first is not asked */
		key[t] = before | KEY_GIVING;
#else
		d_step {
			if :: key[t] == before -> key[t] = before | KEY_GIVING :: else -> before = GONE fi
		};
#endif
		if
		:: before == GONE
		:: else ->
			take_number();
			if
			:: number == NONE ->
				if :: before == NO_SLOT -> dropped++ :: else fi;
				key[t] = KEY_DROPPED
			:: else ->
#ifdef BROKEN_FILL		/* the key is there before its slot */
				key[t] = KEY(number, generation[number] + 2);
				fill_slot(number, t);
#else
				fill_slot(number, t);
				key[t] = KEY(number, generation[number]);
#endif
				allocated++;
				if :: before == KEY_DROPPED -> regained++ :: else fi
			fi
		fi
	fi
}

/* ---- the programs that run with a task */

/* From its storage, or, on a CPU where it ran lately, what it held then: one step, since nobody ends a task that runs. */
inline note_incoming(t)
{
	if
#ifdef RECENT
	:: d_step { HAS_SLOT(recent_key[t]) && generation[NUMBER(recent_key[t])] == GENERATION(recent_key[t]) && !dead[NUMBER(recent_key[t])] ->
		now_key = recent_key[t];
		now_base = recent_base[t] }
#endif
	:: 1 -> note_stored(t)
	fi
}

inline note_stored(t)
{
	now_key = NO_SLOT;
#ifndef NO_ADOPTION
	make_tenancy(t);
#endif
	if
	:: stored[t] ->
		now_key = key[t];
		if
		:: !HAS_SLOT(now_key) ->
			if	/* count_without() */
			:: IS_DROPPED(now_key) ->
				other[t] = other[t] + total[t] - base[t];
				base[t] = total[t]
			:: else
			fi;
			/* adopt() */
#ifndef BROKEN_NO_ADOPTION	/* mutant: the dropped get a slot later */
			if
			:: IS_DROPPED(now_key) && allocated - freed >= SLOTS
			:: else -> give_slot(t); now_key = key[t]
			fi
#endif
		:: else
		fi;
		now_base = base[t]
	:: else
	fi;
	if
	:: HAS_SLOT(now_key) ->
#ifdef RECENT
		if	/* or on another CPU than the one it is found on later */
		:: d_step { recent_key[t] = now_key; recent_base[t] = now_base }
		:: 1
		fi;
#endif
		skip
	:: else -> now_key = NO_SLOT; since = total[t]
	fi
}

inline record_outgoing(t)
{
	if
	:: now_key == NO_SLOT ->	/* end_without() */
#ifndef BROKEN_OTHER		/* mutant: time without a slot */
		other[t] = other[t] + total[t] - since;
#endif
		if
		:: stored[t] ->
			base[t] = total[t];
#ifndef BROKEN_LATE_STATE	/* what got its slot in its last run is not known to have made it */
			before = key[t];
			if
			:: HAS_SLOT(before) && generation[NUMBER(before)] == GENERATION(before) ->
				d_step { tgid[NUMBER(before)] = t + 1; state_dead[NUMBER(before)] = exits[t] };
				epoch = jiffies;
				stamp[NUMBER(before)] = epoch;
				mark(NUMBER(before))
			:: else
			fi
#endif
		:: else
		fi
	:: else ->
		number = NUMBER(now_key);
		if
#ifdef BROKEN_SLOT_OF		/* the generation is not asked for */
		:: 1 ->
#else
		:: generation[number] == GENERATION(now_key) ->
#endif
			d_step { used[number] = total[t] - now_base; used_by[number] = t + 1 };
			d_step { tgid[number] = t + 1; state_dead[number] = exits[t] };
			epoch = jiffies;
			stamp[number] = epoch;
			mark(number)
		:: else
		fi
	fi
}

inline on_free(t)
{
	if
	:: !stored[t] || !HAS_SLOT(key[t]) ->
		if :: stored[t] && IS_DROPPED(key[t]) -> regained++ :: else fi
	:: else ->
		number = NUMBER(key[t]);
#ifdef BROKEN_FREE		/* only looked at, so that reclaim may do the same */
		if
		:: generation[number] == GENERATION(key[t]) ->
#else
		before = 0;
		d_step {
			if
			:: generation[number] == GENERATION(key[t]) -> generation[number]++; before = 1
			:: else
			fi
		};
		if
		:: before ->
#endif
#ifdef BROKEN_EPOCH_FIRST	/* as without the barrier between the mark and the epoch */
			epoch = now;
#endif
			d_step { used[number] = total[t] - base[t]; used_by[number] = t + 1 };
			freed++;
			dead[number] = 1;
#ifndef BROKEN_FREE
			generation[number]--;
#endif
			free_number(number)
		:: else		/* taken back while it waited for the end of a grace period */
		fi
	fi
}

proctype task(byte t)
{
	byte epoch, number, before, taken_in, now_key, now_base, since, runs;

	over + 2 > t;		/* the third comes when one of the first two has gone */
	take_cpu();
	listed[t] = 1;
	if
#ifdef UNBORN
	:: 1		/* birth is not seen */
#endif
	:: 1 -> make_tenancy(t); give_slot(t)	/* on_birth() */
	fi;
	leave_cpu();
	do
	:: runs < RUNS ->
		take_cpu();
		note_incoming(t);
		total[t]++;
		runs++;
#ifdef BROKEN_FREE_AT_EXIT
		if :: runs == RUNS -> on_free(t) :: else fi;
#endif
		if :: runs == RUNS -> exits[t] = 1 :: else fi;
		record_outgoing(t);
		leave_cpu()
	:: else -> break
	od;
#ifdef SLEEPER		/* task 0 does not end: it has to get its slot at last */
	if :: t == 0 -> goto stays :: else fi;
#endif
	atomic { listed[t] = 0; grace[t] = passing };
	if
#ifdef BLIND
	:: 1		/* its end is not seen */
#endif
	:: 1 ->
#ifndef BROKEN_FREE_AT_EXIT
		!grace[t];
		take_cpu();
		on_free(t);
		leave_cpu()
#endif
	fi;
stays:
	over++
}

/* ---- user space */

inline on_seed(t)
{
	if
	:: listed[t] ->		/* the iterator has a reference to it; it may be released now */
		passing = 1;
		make_tenancy(t);
#ifndef BROKEN_SETTLE		/* who has found none at birth, and sleeps, waits for ever */
		give_slot(t);
#endif
		before = key[t];
		if
		:: HAS_SLOT(before) && generation[NUMBER(before)] == GENERATION(before) ->	/* renew() */
#ifndef BROKEN_LATE_STATE
			if :: exits[t] -> state_dead[NUMBER(before)] = 1 :: else fi;
#endif
			stamp[NUMBER(before)] = jiffies
		:: else
		fi;
		d_step { passing = 0; for (t2 : 0 .. TASKS - 1) { grace[t2] = 0 } t2 = 0 }
	:: else
	fi
}

/* seen_*: tasks.seen[]; now_*: the copy that read_slot() makes */
inline scan_slot(n)
{
	now_generation = generation[n];
	if
#ifdef BROKEN_ODD		/* mutant: generation, odd while it changes */
	:: now_generation == 0
#else
	:: now_generation == 0 || now_generation & 1
#endif
	:: else ->
		now_dead = dead[n];
		d_step { now_state = state_dead[n]; now_tgid = tgid[n] };
		d_step { now_used = used[n]; now_by = used_by[n] };
		now_stamp = stamp[n];
		if
#ifdef BROKEN_ODD
		:: 1 ->
#else
		:: generation[n] == now_generation ->
#endif
			account(n)
		:: else
		fi
	fi;
	now_generation = 0; now_dead = 0; now_state = 0; now_tgid = 0; now_used = 0; now_by = 0; now_stamp = 0
}

inline advance_seen(n)
{
	if
	:: now_used > seen_used[n] ->
		reported[now_tgid - 1] = reported[now_tgid - 1] + now_used - seen_used[n];
		seen_used[n] = now_used
	:: else
	fi
}

inline begin_generation(n)
{
#ifndef BROKEN_GENERATION	/* mutant: generation, at the reader */
	if :: seen_generation[n] != now_generation -> seen_used[n] = 0; seen_process[n] = 0 :: else fi;
#endif
	seen_generation[n] = now_generation
}

/* What no other sees: user space's own memory. */
inline account(n)
{
	d_step {
		assert(now_used == 0 || now_by == now_tgid);	/* no record under another's name */
		if
		:: now_dead && seen_generation[n] == now_generation && !seen_process[n]	/* counted before */
		:: now_dead && !(seen_generation[n] == now_generation && !seen_process[n]) ->
			begin_generation(n);
#ifndef BROKEN_LAST		/* mutant: the last time of the ended */
			advance_seen(n);
#endif
			if
			:: now_used ->
				ended[now_tgid - 1] = 1
			:: else
			fi;
			seen_process[n] = 0
		:: else ->
			begin_generation(n);
			seen_process[n] = 1;
			if
#ifdef BROKEN_STALE
			:: now_state && pass_known && now_stamp < pass_last
#endif
			:: else -> advance_seen(n)
			fi;
			if
			:: now_state && pass_known && now_stamp < pass_last ->	/* probe_is_stale() */
				stale_stamp[n] = now_stamp;
				stale[n] = now_generation
			:: else
			fi
		fi;
		assert(now_tgid == 0 || reported[now_tgid - 1] + other[now_tgid - 1] <= total[now_tgid - 1])
	}
}

inline on_reclaim(n)
{
	if
	:: generation[n] == stale[n] && stamp[n] == stale_stamp[n] ->
		if
		:: !dead[n] ->
			before = 0;
			d_step {
				if
				:: generation[n] == stale[n] -> generation[n]++; before = 1
				:: else
				fi
			};
			if
#ifndef BROKEN_FREE
			:: before && dead[n] ->		/* freed meanwhile */
				generation[n]--
#endif
			:: before && !dead[n] ->
				d_step { used[n] = 0; used_by[n] = tgid[n] };
				dead[n] = 1;
				generation[n]++;
				freed++;
				free_number(n)
			:: else
			fi
		:: else
		fi
	:: else
	fi
}

/* refresh_if_due(), probe_refresh() */
inline pass()
{
	pass_last = sampled_jiffies;
	n = 0;
	do
	:: n < TASKS -> on_seed(n); n++
	:: else -> break
	od;
	pass_known = 1;
	all = 1;
	n = 0; epoch = 0; number = 0; before = 0
}

inline sample()
{
	now++;		/* probe_begin_scan() */
	jiffies++;
	sampled_jiffies = jiffies;
	n = 0;
	do
	:: n < SLOTS ->
		if
		:: all || now - marks[n] < WINDOW -> scan_slot(n)
		:: else
		fi;
		n++
	:: else -> break
	od;
	all = 0;
	n = 0;		/* probe_complete() */
	do
	:: n < SLOTS && stale[n] -> on_reclaim(n); stale[n] = 0; stale_stamp[n] = 0; n++
	:: n < SLOTS && !stale[n] -> n++
	:: else -> break
	od;
	n = 0; epoch = 0; number = 0; before = 0
}

proctype user()
{
	byte epoch, number, before, taken_in, n, t2, rounds;
	byte now_generation, now_used, now_tgid, now_stamp, now_by;
	bit now_dead, now_state, all;
	byte seen_generation[SLOTS], seen_used[SLOTS], stale[SLOTS], stale_stamp[SLOTS], pass_last;
	bit seen_process[SLOTS], pass_known;

	do
	:: rounds < ROUNDS ->
#ifndef NO_PASS
		if :: 1 -> pass() :: 1 fi;
#endif
		sample();
		rounds++
	:: else -> break
	od;
	atomic {	/* all is quiet: nobody comes between */
		over == TASKS;
#ifdef FRESH		/* nothing was under way for more than two scans: marks alone tell the next one all */
		sample();
		do
		:: n < TASKS -> assert(reported[n] + other[n] == total[n]); n++
		:: else -> break
		od;
		n = 0;
#endif
		do
		:: rounds < ROUNDS + LAST_ROUNDS -> pass(); sample(); rounds++
		:: else -> break
		od
	}
	/* all is quiet */
	n = 0;
	do
	:: n < TASKS ->
		assert(reported[n] + other[n] == total[n]);	/* no time lost, none counted twice */
#ifdef SLEEPER
		if :: n == 0 -> assert(HAS_SLOT(key[0])) :: else fi;
#endif
		n++
	:: else -> break
	od;
	assert(high <= SLOTS);
	n = 0;
	do
	:: n < high ->
		if
#ifdef SLEEPER
		:: HAS_SLOT(key[0]) && NUMBER(key[0]) == n -> assert(taken[n])
#endif
		:: else -> assert(!taken[n] && (stack[0] | stack[1] | stack[2]) & BIT(n))	/* none lost */
		fi;
		n++
	:: else -> break
	od
}

init
{
	atomic {
		byte t;
		for (t : 0 .. TASKS - 1) { run task(t) }
		run user()
	}
}
