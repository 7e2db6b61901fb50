/* SPDX-License-Identifier: MIT */
/*
 * A file that is replaced whole: whoever reads it sees all of one sample. A new one is written beside it, under a fixed
 * name that is hidden and does not end as the file's does, then renamed. One that a killed process has left is removed by
 * the next. It is not synced to disk: after a crash of the machine the next sample comes sooner than anybody reads it.
 */
#ifndef RSTAT_EMIT_REPLACE_H
#define RSTAT_EMIT_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/failure.h"

enum { REPLACE_NAME_MAX = 255, REPLACE_MODE = 0644 };	/* NAME_MAX, include/uapi/linux/limits.h */

struct replace {
	int directory;				/* descriptor, only a place (O_PATH) */
	const char *name, *fresh;		/* NAME and ".NAME.new", in memory that cannot be written any more */
	int error;				/* of the last try */
};

/*
 * Opens the folder of the path, and sets the umask. 0, or -errno with the failure saying what: no such folder, too long a name.
 * The names are where the sandbox can name them: seccomp(2) sees addresses only, so what stands there must stay.
 */
int replace_open(struct replace *replace, const char *path, struct failure *f);

/* 0 or -errno, also in replace->error. The old file stands until the new one is whole. Readable by all, unless the folder has a default ACL that says else. */
int replace_write(struct replace *replace, const void *data, size_t size);

#endif
