/* SPDX-License-Identifier: MIT */
#include "emit/replace.h"

#include "emit/loop.h"
#include "emit/words.h"
#include "loader/memory.h"
#include "loader/sys.h"
#include "loader/text.h"

enum { PATH_MAX = 4096 };

struct names {
	char name[REPLACE_NAME_MAX + 1], fresh[REPLACE_NAME_MAX + 1];
};

static const char before[] = ".", after[] = ".new";

static int split(struct names *names, const char *path, char folder[PATH_MAX])
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
	memcpy(names->name, path + slash, length - slash + 1);
	text = text_over(names->fresh, sizeof names->fresh - 1);
	text_string(&text, before);
	text_string(&text, names->name);
	text_string(&text, after);
	names->fresh[text.used] = '\0';
	return 0;
}

/* In a mapping of its own, which is not written any more. */
static int keep(struct replace *replace, const struct names *names)
{
	struct names *kept = sys_mmap(NULL, sizeof *kept, SYS_PROT_READ | SYS_PROT_WRITE,
				      SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
	int error = sys_failed(kept);

	if (error)
		return error;
	*kept = *names;
	replace->name = kept->name;
	replace->fresh = kept->fresh;
	return sys_mprotect(kept, sizeof *kept, SYS_PROT_READ);
}

int replace_open(struct replace *replace, const char *path, struct failure *f)
{
	char folder[PATH_MAX];
	struct names names = { 0 };
	int error = split(&names, path, folder);

	*replace = (struct replace){ .directory = -1 };
	if (!error)
		error = keep(replace, &names);
	if (error)
		return fail(f, error, "open the folder of", path, NULL);
	replace->directory = sys_open(folder, SYS_O_PATH | ARCH_O_DIRECTORY);
	if (replace->directory < 0)
		return fail(f, replace->directory, "open the folder of", path, "--file wants one that exists");
	sys_umask(0777 & ~REPLACE_MODE);
	return 0;
}

static int write_fresh(struct replace *replace, const void *data, size_t size)
{
	int fd, error;

	/* what a killed one has left, or what somebody has put there for us to write into */
	sys_unlink_at(replace->directory, replace->fresh);
	fd = sys_create_at(replace->directory, replace->fresh, REPLACE_MODE);
	if (fd < 0)
		return fd;
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
