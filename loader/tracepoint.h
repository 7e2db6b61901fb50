/* SPDX-License-Identifier: MIT */
/*
 * Tracepoints by tracefs (Linux, Documentation/trace/events.rst): a folder for each event, with its id for
 * perf_event_open(2) and the format of its records. Only root reads them.
 */
#ifndef RSTAT_LOADER_TRACEPOINT_H
#define RSTAT_LOADER_TRACEPOINT_H

#include "loader/bytes.h"
#include "loader/failure.h"
#include "probe/abi.h"

/*
 * A field of a record, from the text of its format file: 1 with its offset in bytes, 0 where there is none of that name
 * and size, -EINVAL where the line that has it makes no sense.
 */
int tracepoint_field(struct bytes format, const char *name, uint32_t size, uint16_t *offset);

/* The text of an id file, one number: 0, or -EINVAL. */
int tracepoint_number(struct bytes text, uint64_t *number);

/*
 * The folder of all events: where tracefs is mounted, else a mount of our own that no other process sees. The
 * descriptor, or -errno.
 */
int tracepoint_folder(struct failure *f);

/* The id of an event ("sched/sched_switch"), and what the probe wants to know of the records: 0 or -errno. */
int tracepoint_id(int folder, const char *event, uint64_t *id, struct failure *f);
int tracepoint_offsets(int folder, struct tracepoint_offsets *at, struct failure *f);

/* Runs a program at each hit on any CPU: the event's descriptor, or -errno. */
int tracepoint_attach(uint64_t id, int program);

#endif
