/* SPDX-License-Identifier: MIT */
/*
 * What runs on one CPU, for spin: the switches that write its entry, the sample program and the pass that read it from
 * another CPU, and switches that the kernel does not show. A step for each access to memory that several share. See life.pml.
 *
 *	here			in the code
 *	cpu()			the kernel, and on_switch() where it is seen: step_sequence(), end_unseen(), record_outgoing()
 *				with end_without(), note_incoming() with count_without()
 *	sample			copy_running() with read_running(), is_current(), seeded() (running.h); probe_begin_scan() with
 *				run_sample(), which asks again
 *	pass			on_seed(), as far as note_running() goes
 *	other_cpu()		on_free() of A, and fill_slot() for another task under the same number
 *
 * A has a slot, B has none, and idle is no task to us. CPU time passes in units of one per run.
 */
#ifndef SWITCHES
#define SWITCHES 3
#endif
#ifndef SAMPLES
#define SAMPLES 2	/* while the CPU switches; more follow when all is quiet */
#endif

#define NOBODY 0
#define IDLE 1
#define A 2
#define B 3
#define C 4		/* who gets A's number */

/* ---- the kernel */
byte current = IDLE;		/* what runs, until the switch is done */
bit on_cpu[5];
byte total[5];
bit freed;			/* A */

/* ---- struct on_cpu */
byte sequence, task, now_base, since, other, seed_task, seed_base, seed_sequence, asked = 255, asked_passes;
bit now_key, seed_key;		/* A's, or none */

/* ---- A's slot, and the tenancies of A and B */
byte generation = 2, used, used_by = A;
bit dead;
byte base[5];
byte passes;

/* ---- what must hold */
bit in_program, grace, left_unseen, missed, came_seen = 1, quiet, all, chosen;	/* chosen: A runs, or is about to */

inline end_unseen()
{
	if
	:: task != NOBODY && task != prev && now_key && generation == 2 && !on_cpu[task] ->
		/* PROBE_READ(task, pid) == slot->pid: A's task is there as long as its slot is */
		mine = total[task] - now_base;
		own = !dead;
#ifndef BROKEN_ONCE		/* its generation is not looked at again */
		own = own && generation == 2;
#endif
		if
		:: own && mine > used -> d_step { used = mine; used_by = task }
		:: else
		fi
	:: else
	fi
}

inline record_outgoing()
{
	if
	:: prev == IDLE
	:: prev == A -> d_step { used = total[A] - base[A]; used_by = A }
	:: prev == B && task == prev -> other = other + total[B] - since; base[B] = total[B]	/* end_without() */
	:: prev == B && task != prev -> other = other + total[B] - base[B]; base[B] = total[B]
	fi
}

inline note_incoming()
{
	task = next;
	now_key = 0;
	if
	:: next == IDLE
	:: next == A -> now_base = base[A]; now_key = 1
	:: next == B ->
		other = other + total[B] - base[B];	/* count_without() */
		base[B] = total[B];
		now_base = base[B];
		since = total[B]
	fi
}

inline on_switch()
{
	d_step { in_program = 1; sequence++ };
#ifndef BROKEN_UNSEEN		/* mutant: the time until a switch that is not seen */
	end_unseen();
#endif
	record_outgoing();
	note_incoming();
	d_step { sequence++; in_program = 0; grace = 0 }
}

/* The program is run, or the kernel has skipped it. */
inline switch_to()
{
	if :: prev != IDLE -> total[prev]++ :: else fi;
	if
	:: seen -> on_switch()
	:: else
	fi;
	d_step {
		if
		:: prev == B -> left_unseen = !seen
		:: prev == A -> missed = !seen && !came_seen	/* till it runs again, or is freed */
		:: else
		fi;
		came_seen = seen
	};
	on_cpu[next] = 1;
	d_step { on_cpu[prev] = 0; current = next; if :: prev == A -> chosen = 0 :: else fi }
}

proctype cpu()
{
	byte prev = current, next, switches, mine;
	bit seen, own;

	do
	:: switches < SWITCHES ->
		if
		:: prev != IDLE -> next = IDLE
		:: atomic { prev != A && !freed -> next = A; chosen = 1 }
		:: prev != B -> next = B
		fi;
		if
		:: seen = 1
#ifdef UNSEEN
		:: switches -> seen = 0		/* by its first switch we know a CPU */
#endif
		fi;
		switch_to();
		prev = next;
		next = 0; mine = 0; own = 0;
		switches++
	:: else -> break
	od;
	quiet = 1;
	all;		/* the samples that follow see what runs; then one more switch, and all is recorded */
	if
	:: prev == IDLE -> next = B
	:: else -> next = IDLE
	fi;
	atomic {
		seen = 1;
		switch_to();
		assert(freed || missed || used == total[A] - base[A]);
		assert(left_unseen || other == total[B])
	}
}

#ifdef REUSE
proctype other_cpu()
{
end:	atomic { total[A] && !chosen -> freed = 1 }	/* its last switch is over */
	used = total[A] - base[A];
	d_step { dead = 1; grace = in_program };
	!grace;		/* two epochs on: what was under way when it was freed is over */
	generation++;
	dead = 0;
	d_step { used = 0; used_by = C };
	generation++;
	all;
	assert(used_by == C)
}
#endif

/* ---- user space */

#ifdef BROKEN_CURRENT		/* mutant: what goes on after a switch that is not seen */
#define IS_CURRENT(t) 1
#else
#define IS_CURRENT(t) on_cpu[t]
#endif

inline sample()
{
	before = sequence;
	read_task = task;
	read_other = other;
	read_since = since;
	switched = read_task != NOBODY;
	if :: switched -> switched = IS_CURRENT(read_task) :: else fi;
	known = read_task != NOBODY || seed_task != NOBODY;
	running = NOBODY;
	if
	:: switched -> key = now_key; read_base = now_base; running = read_task
	:: else ->
		key = seed_key;
		read_base = seed_base;
		running = seed_task;	/* seeded() */
		if
		:: running != NOBODY ->
			if
#ifdef BROKEN_SEED_SEQUENCE	/* what a pass found is taken for true for ever */
			:: on_cpu[running]
#else
			:: seed_sequence == sequence && on_cpu[running]
#endif
			:: else -> running = NOBODY
			fi
		:: else
		fi
	fi;
	if
	:: running != NOBODY ->
		read_total = total[running];
		if
		:: !switched && running == B -> read_since = read_base
		:: else
		fi;
		if
		:: running == B && !key && read_total > read_since -> read_other = read_other + read_total - read_since
		:: else
		fi
	:: else
	fi;
	if
#ifdef BROKEN_SEQUENCE		/* mutant: sequence */
	:: 0 ->
#else
	:: before & 1 || sequence != before ->
#endif
		result = 0			/* READ_CHANGING */
	:: else ->
		result = 1 + (known && running == NOBODY)	/* READ_WELL, READ_NOTHING */
	fi;
	/* copy_running() and the reader: own memory */
	d_step {
		unseen = result == 2 && asked == before && asked_passes == passes;
		changing = result == 0 || (result == 2 && asked != before);
		if
		:: result == 2 && asked != before -> asked = before; asked_passes = passes
		:: else
		fi;
		if
		:: result == 1 && key && running != NOBODY ->
			assert(running == A);				/* no counters in another's slot */
			assert(read_base == base[A]);
		:: else
		fi;
		if
		:: result != 0 -> assert(read_other <= total[B]);	/* nothing counted twice */
		:: else
		fi
	}
}

inline note_running(t)
{
	if
	:: on_cpu[t] ->
		read_task = task;
		switched = read_task != NOBODY;
		if :: switched -> switched = IS_CURRENT(read_task) :: else fi;
		if
		:: !switched ->
			seed_base = base[t];
			seed_key = t == A;
			seed_sequence = sequence;
			seed_task = t
		:: else
		fi
	:: else
	fi
}

inline pass() { note_running(A); note_running(B); passes++ }

inline forget()
{
	before = 0; read_task = 0; read_other = 0; read_since = 0; read_base = 0; read_total = 0;
	running = 0; switched = 0; known = 0; key = 0; changing = 0; unseen = 0; result = 0
}

proctype user()
{
	byte before, read_task, read_other, read_since, read_base, read_total, running, samples, result;
	bit switched, known, key, changing, unseen;

	do
	:: samples < SAMPLES ->
		sample();
		if
		:: unseen -> pass()
		:: else
		fi;
		d_step { forget(); samples++ }
	:: else -> break
	od;
	atomic {		/* nobody comes between */
		quiet;
		sample();
		if :: changing -> sample() :: else fi;
		pass();
		sample();	/* the refresh pass: where an earlier one met nobody, no other is asked for */
		/* what runs is what is shown, up to now */
		if
		:: current != IDLE -> assert(running == current && read_total == total[current])
		:: else -> assert(running == NOBODY || running == IDLE)
		fi;
		forget();
		all = 1
	}
}

init
{
	atomic {
		on_cpu[IDLE] = 1;
#ifdef BEGAN	/* A ran when the probe came */
		total[A] = 1; base[A] = 1; on_cpu[A] = 1; on_cpu[IDLE] = 0; current = A; chosen = 1; came_seen = 0;
		seed_task = A; seed_base = 1; seed_key = 1;
#endif
		run cpu();
#ifdef REUSE
		run other_cpu();
#endif
		run user()
	}
}
