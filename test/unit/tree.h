/* SPDX-License-Identifier: MIT */
/*
 * For tests: a small /proc and /sys in a temporary directory, and bytes that the sanitizer guards
 * at both ends.
 */
#ifndef RSTAT_TEST_TREE_H
#define RSTAT_TEST_TREE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct tree_file {
	const char *path;	/* ends in '/': an empty directory */
	const char *content;
};

struct tree {
	char path[64];
	int root;
};

static inline void tree_directories(const struct tree *tree, const char *path)
{
	char part[256];

	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		snprintf(part, sizeof part, "%.*s", (int)i, path);
		if (mkdirat(tree->root, part, 0755))
			assert_int_equal(errno, EEXIST);
	}
}

static inline void tree_write(const struct tree *tree, const char *path, const void *bytes,
			      size_t size)
{
	int fd;

	tree_directories(tree, path);
	if (path[strlen(path) - 1] == '/')
		return;
	fd = openat(tree->root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static inline void tree_put(const struct tree *tree, const char *path, const char *content)
{
	tree_write(tree, path, content, strlen(content));
}

/* files ends with a NULL path; may be NULL itself. */
static inline void tree_make(struct tree *tree, const struct tree_file *files)
{
	strcpy(tree->path, "/tmp/rstat-tree-XXXXXX");
	assert_non_null(mkdtemp(tree->path));
	tree->root = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree->root >= 0);
	for (; files && files->path; files++)
		tree_put(tree, files->path, files->content ? files->content : "");
}

static inline int tree_remove_one(const char *path, const struct stat *stat, int type,
				  struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	return remove(path);
}

static inline void tree_drop(struct tree *tree)
{
	close(tree->root);
	nftw(tree->path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/*
 * A copy of exactly `size` bytes: reading one more is an error to the address sanitizer. Free it.
 */
static inline void *exact(const void *bytes, size_t size)
{
	void *copy = malloc(size);

	assert_non_null(copy);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
