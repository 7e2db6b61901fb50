/* SPDX-License-Identifier: MIT */
/*
 * Files of /proc and /sys: opened at start below a directory that the caller injects, kept, and
 * from then on read from their beginning with one pread(2) each. A descriptor that is absent is
 * negative.
 */
#ifndef RSTAT_COLLECT_FILE_H
#define RSTAT_COLLECT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_NAME_SIZE = 32 };	/* of a name in a list, with its NUL; longer names are left out */

/*
 * The descriptor, or -errno; -EBADF where `directory`, to which the path is relative, is itself
 * absent. Never blocks, not even on a FIFO.
 */
int file_open(int directory, const char *path);

/* Closes *fd, if it is one, and makes it absent. */
void file_close(int *fd);

/*
 * At most `size` bytes from the beginning: how many, or -errno. A failure that will not pass (the
 * device is gone, the file is a directory) closes *fd and makes it absent; EAGAIN, EINTR, EIO and
 * others do not.
 */
long file_read(int *fd, void *bytes, size_t size);

/* The one number in a small file: 0, or -errno (-EINVAL: something else, or too long). */
int file_read_number(int *fd, int64_t *value);

/* The same from a file that is opened for this once. */
int file_number_at(int directory, const char *path, int64_t *value);

/*
 * The names in the directory at `path` that fit the pattern (see parse_matches), the first `max` of
 * them in order: bytewise, but runs of digits by their value, so policy9 comes before policy10. How
 * many, or -errno.
 */
int file_list(int directory, const char *path, const char *pattern,
	      char (*names)[FILE_NAME_SIZE], unsigned max);

/*
 * Steps through what getdents64(2) returned: the name of the record at *at, NUL-terminated within
 * `bytes`. NULL at the end and where a record does not fit.
 */
const char *file_next_entry(const void *bytes, size_t size, size_t *at);

#endif
