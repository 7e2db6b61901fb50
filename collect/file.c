/* SPDX-License-Identifier: MIT */
#include "collect/file.h"

#include "collect/parse.h"
#include "loader/memory.h"
#include "loader/sys.h"

enum { NUMBER_SIZE = 32 };	/* no number is as long: a file that fills it may be cut */

int file_open(int directory, const char *path)
{
	if (directory < 0)	/* must not turn into AT_FDCWD */
		return -SYS_EBADF;
	return sys_open_at(directory, path, SYS_O_RDONLY | SYS_O_NONBLOCK);
}

void file_close(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -SYS_EBADF;
}

static bool lasts(long error)
{
	switch (-error) {
	case SYS_EBADF:
	case SYS_ENODEV:
	case SYS_ENOENT:
	case SYS_ENXIO:
	case SYS_EISDIR:
	case SYS_EOPNOTSUPP:
		return true;
	}
	return false;
}

long file_read(int *fd, void *bytes, size_t size)
{
	long length;

	if (*fd < 0)
		return -SYS_EBADF;
	length = sys_pread(*fd, bytes, size, 0);
	if (lasts(length))
		file_close(fd);
	return length;
}

int file_read_number(int *fd, int64_t *value)
{
	char bytes[NUMBER_SIZE];
	long length = file_read(fd, bytes, sizeof bytes);

	if (length < 0)
		return (int)length;
	if (length == sizeof bytes || !parse_whole_i64(bytes, (size_t)length, value))
		return -SYS_EINVAL;
	return 0;
}

int file_number_at(int directory, const char *path, int64_t *value)
{
	int fd = file_open(directory, path);
	int error;

	if (fd < 0)
		return fd;
	error = file_read_number(&fd, value);
	file_close(&fd);
	return error;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at *name, without leading zeros; *name moves behind them. */
static size_t digits_at(const char **name, const char **first)
{
	while (**name == '0')
		(*name)++;
	*first = *name;
	while (is_digit(**name))
		(*name)++;
	return (size_t)(*name - *first);
}

/* Negative where a comes first. 0 also for names that differ in leading zeros only. */
static int compare_names(const char *a, const char *b)
{
	while (*a && *b) {
		const char *first_a, *first_b;
		size_t length_a, length_b;
		int order;

		if (!is_digit(*a) || !is_digit(*b)) {
			if (*a != *b)
				break;
			a++, b++;
			continue;
		}
		length_a = digits_at(&a, &first_a);
		length_b = digits_at(&b, &first_b);
		if (length_a != length_b)
			return length_a < length_b ? -1 : 1;
		order = memcmp(first_a, first_b, length_a);
		if (order)
			return order;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

/*
 * Puts a name into its place among `count` ordered ones. A full list drops its last name, so that
 * what is kept does not depend on the order in which the kernel lists a directory.
 */
static unsigned insert_name(char (*names)[FILE_NAME_SIZE], unsigned count, unsigned max,
			    const char *name, size_t length)
{
	unsigned place = count;

	while (place && compare_names(names[place - 1], name) > 0)
		place--;
	if (place == max)
		return count;
	if (count == max)
		count--;
	memmove(names[place + 1], names[place], (count - place) * sizeof *names);
	memcpy(names[place], name, length + 1);
	return count + 1;
}

/* struct linux_dirent64, include/linux/dirent.h: u64 ino, s64 off, u16 reclen, u8 type, name */
const char *file_next_entry(const void *bytes, size_t size, size_t *at)
{
	enum { LENGTH_AT = 16, NAME_AT = 19 };
	const char *record = (const char *)bytes + *at;
	uint16_t length;

	if (*at > size || size - *at < NAME_AT)
		return NULL;
	memcpy(&length, record + LENGTH_AT, sizeof length);
	if (length > size - *at)
		return NULL;
	for (size_t i = NAME_AT; i < length; i++) {
		if (record[i])
			continue;
		*at += length;
		return record + NAME_AT;
	}
	return NULL;
}

int file_list(int directory, const char *path, const char *pattern,
	      char (*names)[FILE_NAME_SIZE], unsigned max)
{
	int fd = file_open(directory, path);
	char bytes[2048];
	unsigned count = 0;
	long size;

	if (fd < 0)
		return fd;
	while ((size = sys_getdents(fd, bytes, sizeof bytes)) > 0) {
		const char *name;
		size_t at = 0;

		while ((name = file_next_entry(bytes, (size_t)size, &at))) {
			size_t length = 0;

			while (name[length])
				length++;
			if (length < FILE_NAME_SIZE &&
			    parse_matches(parse_over(name, length), pattern))
				count = insert_name(names, count, max, name, length);
		}
	}
	file_close(&fd);
	return size < 0 ? (int)size : (int)count;
}
