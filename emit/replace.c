/* SPDX-License-Identifier: MIT */
#include "emit/replace.h"

#include "emit/loop.h"
#include "emit/words.h"
#include "loader/memory.h"
#include "loader/sys.h"
#include "loader/text.h"

enum { PATH_MAX = 4096, READABLE = 0644 };

static const char before[] = ".", after[] = ".new";

static int split(struct replace *replace, const char *path, char folder[PATH_MAX])
{
	size_t length = word_length(path), slash = length;
	struct text text;

	while (slash && path[slash - 1] != '/')
		slash--;
	if (slash + 2 > PATH_MAX || length - slash + sizeof before + sizeof after - 2 > REPLACE_NAME_MAX)
		return -SYS_ENAMETOOLONG;
	memcpy(folder, path, slash);
	/* "x.prom" is in ".", "/x.prom" in "/" */
	folder[slash] = '.';
	folder[slash + 1] = '\0';
	memcpy(replace->name, path + slash, length - slash + 1);
	text = text_over(replace->fresh, sizeof replace->fresh - 1);
	text_string(&text, before);
	text_string(&text, replace->name);
	text_string(&text, after);
	replace->fresh[text.used] = '\0';
	return 0;
}

int replace_open(struct replace *replace, const char *path, struct failure *f)
{
	char folder[PATH_MAX];
	int error = split(replace, path, folder);

	replace->error = 0;
	replace->directory = -1;
	if (error)
		return fail(f, error, "open the folder of", path, NULL);
	replace->directory = sys_open(folder, SYS_O_PATH | ARCH_O_DIRECTORY);
	if (replace->directory < 0)
		return fail(f, replace->directory, "open the folder of", path, "--file wants one that exists");
	return 0;
}

static int write_fresh(struct replace *replace, const void *data, size_t size)
{
	int fd, error;

	/* what a killed one has left, or what somebody has put there for us to write into */
	sys_unlink_at(replace->directory, replace->fresh);
	fd = sys_create_at(replace->directory, replace->fresh, READABLE);
	if (fd < 0)
		return fd;
	error = sys_fchmod(fd, READABLE);	/* whatever the umask is */
	if (!error)
		error = write_all(fd, data, size);
	sys_close(fd);
	return error;
}

int replace_write(struct replace *replace, const void *data, size_t size)
{
	int error = write_fresh(replace, data, size);

	if (!error)
		error = sys_rename_at(replace->directory, replace->fresh, replace->name);
	if (error)
		sys_unlink_at(replace->directory, replace->fresh);
	replace->error = error;
	return error;
}
