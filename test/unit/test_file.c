/* SPDX-License-Identifier: MIT */
#include "test/unit/tree.h"

#include "collect/file.h"

static void reads_from_the_beginning(void **state)
{
	struct tree tree;
	char bytes[8];
	int fd;

	(void)state;
	tree_make(&tree, NULL);
	tree_put(&tree, "a/b", "one");
	fd = file_open(tree.root, "a/b");
	assert_true(fd >= 0);
	assert_int_equal(file_read(&fd, bytes, sizeof bytes), 3);
	tree_put(&tree, "a/b", "longer than the buffer");
	assert_int_equal(file_read(&fd, bytes, sizeof bytes), sizeof bytes);
	assert_memory_equal(bytes, "longer t", 8);
	file_close(&fd);
	assert_true(fd < 0);
	file_close(&fd);
	assert_int_equal(file_read(&fd, bytes, sizeof bytes), -EBADF);
	tree_drop(&tree);
}

static void absent_stays_absent(void **state)
{
	struct tree tree;
	char bytes[8];
	int fd;

	(void)state;
	tree_make(&tree, NULL);
	assert_int_equal(file_open(tree.root, "missing"), -ENOENT);
	assert_int_equal(file_open(AT_FDCWD, "/"), -EBADF);
	tree_put(&tree, "directory/x", "");
	fd = file_open(tree.root, "directory");
	assert_true(fd >= 0);
	assert_int_equal(file_read(&fd, bytes, sizeof bytes), -EISDIR);
	assert_true(fd < 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);

	fd = openat(tree.root, "directory/x", O_RDONLY);
	close(fd);
	assert_int_equal(file_read(&fd, bytes, sizeof bytes), -EBADF);
	assert_true(fd < 0);

	/* A FIFO cannot be read at an offset, and without a writer must not block. */
	assert_int_equal(mkfifoat(tree.root, "fifo", 0644), 0);
	fd = file_open(tree.root, "fifo");
	assert_true(fd >= 0);
	assert_int_equal(file_read(&fd, bytes, sizeof bytes), -ESPIPE);
	assert_true(fd >= 0);
	file_close(&fd);
	tree_drop(&tree);
}

static void numbers(void **state)
{
	static const struct {
		const char *content;
		int error;
		int64_t value;
	} rows[] = {
		{ "45000\n", 0, 45000 },
		{ "-1", 0, -1 },
		{ "", -EINVAL, 0 },
		{ "garbage\n", -EINVAL, 0 },
		{ "1                              \n", -EINVAL, 0 },	/* fills the buffer */
		{ "1                             \n", 0, 1 },
	};
	struct tree tree;
	int64_t value;

	(void)state;
	tree_make(&tree, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_put(&tree, "n", rows[i].content);
		value = 4711;
		assert_int_equal(file_number_at(tree.root, "n", &value), rows[i].error);
		assert_int_equal(value, rows[i].error ? 4711 : rows[i].value);
	}
	assert_int_equal(file_number_at(tree.root, "m", &value), -ENOENT);
	tree_drop(&tree);
}

static void lists_in_order(void **state)
{
	char names[300][FILE_NAME_SIZE], path[64], expected[FILE_NAME_SIZE];
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL);
	assert_int_equal(file_list(tree.root, "d", "*", names, 4), -ENOENT);
	tree_put(&tree, "file", "x");
	assert_int_equal(file_list(tree.root, "file", "*", names, 4), -ENOTDIR);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(path, sizeof path, "d/policy%u", (i * 77) % 200);
		tree_put(&tree, path, "");
	}
	tree_put(&tree, "d/policy", "");
	tree_put(&tree, "d/policy1x", "");
	tree_put(&tree, "d/a-name-that-is-too-long-for-a-list", "");
	tree_put(&tree, "d/a-name-one-longer-than-what-fits", "");
	tree_put(&tree, "d/a-name-just-as-long-as-it-fits1", "");

	assert_int_equal(file_list(tree.root, "d", "policy#", names, 300), 200);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(expected, sizeof expected, "policy%u", i);
		assert_string_equal(names[i], expected);
	}
	/* Fewer places than names: the first ones, whatever order the directory has. */
	assert_int_equal(file_list(tree.root, "d", "policy#", names, 11), 11);
	assert_string_equal(names[0], "policy0");
	assert_string_equal(names[10], "policy10");
	assert_int_equal(file_list(tree.root, "d", "policy#", names, 0), 0);
	assert_int_equal(file_list(tree.root, "d", "a-*", names, 4), 1);
	assert_string_equal(names[0], "a-name-just-as-long-as-it-fits1");
	assert_int_equal(file_list(tree.root, "d", "nothing", names, 4), 0);
	tree_drop(&tree);
}

static void orders_names(void **state)
{
	static const char *const sorted[] = { "BAT", "BAT0", "a-2-b", "a-0003-a", "a-10-a",
					"a-10-b", "b",       "b18446744073709551616" };
	char names[16][FILE_NAME_SIZE], path[64];
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL);
	for (size_t i = COUNT(sorted); i--;) {
		snprintf(path, sizeof path, "d/%s", sorted[i]);
		tree_put(&tree, path, "");
	}
	tree_put(&tree, "d/b99999999999999999999999", "");
	assert_int_equal(file_list(tree.root, "d", "*", names, 16), COUNT(sorted) + 3);
	for (size_t i = 0; i < COUNT(sorted); i++)	/* after . and .. */
		assert_string_equal(names[i + 2], sorted[i]);
	tree_drop(&tree);
}

/* One record of getdents64(2) at `at`: where the next one goes. */
static size_t put_entry(uint8_t *bytes, size_t at, uint16_t length, const char *name)
{
	memset(bytes + at, 0xa5, length);
	memcpy(bytes + at + 16, &length, sizeof length);
	memcpy(bytes + at + 19, name, strlen(name) + 1);
	return at + length;
}

static void walks_entries(void **state)
{
	uint8_t bytes[64];
	size_t size = put_entry(bytes, put_entry(bytes, 0, 24, "one"), 32, "twelve");
	uint16_t length;

	(void)state;
	for (size_t cut = 0; cut <= size; cut++) {
		uint8_t *copy = exact(bytes, cut);
		size_t at = 0;
		const char *name = file_next_entry(copy, cut, &at);

		if (cut < 24) {
			assert_null(name);
			assert_int_equal(at, 0);
		} else {
			assert_string_equal(name, "one");
			name = file_next_entry(copy, cut, &at);
			if (cut < size) {
				assert_null(name);
				assert_int_equal(at, 24);
			} else {
				assert_string_equal(name, "twelve");
				assert_null(file_next_entry(copy, cut, &at));
			}
		}
		free(copy);
	}
	for (unsigned bad = 0; bad < 65536; bad++) {
		size_t at = 0;
		uint8_t *copy;

		if (bad == 1000)
			bad = 65000;
		length = (uint16_t)bad;
		memcpy(bytes + 16, &length, sizeof length);
		copy = exact(bytes, size);
		if (bad < 23 || bad > size)	/* no room for "one" and its NUL, or past the end */
			assert_null(file_next_entry(copy, size, &at));
		free(copy);
	}
	/* No NUL within the record. */
	put_entry(bytes, 0, 24, "one");
	memset(bytes + 19, 'x', 5);
	size = 0;
	assert_null(file_next_entry(bytes, 24, &size));
	size = 25;
	assert_null(file_next_entry(bytes, 24, &size));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_from_the_beginning),
		cmocka_unit_test(absent_stays_absent),
		cmocka_unit_test(numbers),
		cmocka_unit_test(lists_in_order),
		cmocka_unit_test(orders_names),
		cmocka_unit_test(walks_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
