/* SPDX-License-Identifier: MIT */
/* The face for Prometheus, and the file that it replaces. */
#include "test/unit/tree.h"
#include "test/unit/check.h"
#include "test/unit/emit_sample.h"

#undef fail
#include "emit/openmetrics.h"
#include "emit/replace.h"
#include "loader/sys.h"

static char buffer[OPENMETRICS_SIZE_MAX + 1];

static struct text render(const struct sample *s, const char *file, bool names)
{
	struct options o = { .file_path = file, .names = names };
	struct text t = text_over(buffer, OPENMETRICS_SIZE_MAX);

	openmetrics_face.write(&t, s, &o);
	buffer[t.used < OPENMETRICS_SIZE_MAX ? t.used : OPENMETRICS_SIZE_MAX] = '\0';
	return t;
}

static void golden(void **state)
{
	struct sample busy = sample_busy(), bare = sample_bare();
	struct text t = render(&busy, NULL, true);

	(void)state;
	check_golden(&t, "busy.openmetrics");
	t = render(&busy, "x.prom", false);
	check_golden(&t, "busy.prom");
	t = render(&bare, NULL, false);
	check_golden(&t, "bare.openmetrics");
}

static unsigned count(const char *part)
{
	unsigned found = 0;

	for (const char *at = buffer; (at = strstr(at, part)); at += strlen(part))
		found++;
	return found;
}

/* Names that are one once they are safe are one series, with the sum. */
static void one_series_per_name(void **state)
{
	struct sample s = sample_bare();

	(void)state;
	s.top_memory.count = 4;
	s.top_memory.entry[0] = live(1, "a\x01", 1, 0, 100, 0, 0);
	s.top_memory.entry[1] = live(2, "b", 1, 0, 50, 0, 0);
	s.top_memory.entry[2] = live(3, "a\x02", 1, 0, 30, 0, 0);
	s.top_memory.entry[3] = live(4, "a", 1, 0, 7, 0, 0);
	render(&s, NULL, true);
	assert_int_equal(count("process_memory_bytes{name="), 2);
	assert_int_equal(count("rstat_process_memory_bytes{name=\"a\"} 137\n"), 1);
	assert_int_equal(count("rstat_process_memory_bytes{name=\"b\"} 50\n"), 1);
	s.top_memory.entry[0].rss_bytes = UINT64_MAX;
	render(&s, NULL, true);
	assert_int_equal(count("{name=\"a\"} 18446744073709551615\n"), 1);
}

/* A series that is there twice makes a collector refuse all: of devices whose labels are the same the first is shown. */
static void one_series_per_device(void **state)
{
	struct sample s = sample_bare();

	(void)state;
	s.battery_count = 3;
	s.gpu_count = 2;
	for (unsigned i = 0; i < 3; i++)
		s.battery[i] = (struct battery_entry){ .known = BATTERY_KNOWS_RATIO, .name = "BAT0", .charge_ppm = 100000 * (i + 1) };
	strcpy(s.battery[1].name, "\\x42AT0");
	strcpy(s.battery[2].name, "BAT1");
	for (unsigned i = 0; i < 2; i++)
		s.gpu[i] = (struct gpu_entry){ .name = "card\x01" };
	render(&s, NULL, false);
	assert_int_equal(count("rstat_battery_ratio{battery=\"BAT0\"} 0.1\n"), 1);
	assert_int_equal(count("rstat_battery_ratio{battery=\"BAT1\"} 0.3\n"), 1);
	assert_int_equal(count("rstat_battery_ratio{"), 2);
	assert_int_equal(count("rstat_gpu_awake{gpu=\"card\"} 1\n"), 1);
}

static void labels(void **state)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b", "a\\\\b" },
		{ "a\nb", "ab" },
		{ "{x=\"1\"} 5", "{x=\\\"1\\\"} 5" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "\x01", "?" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sample s = sample_bare();
		char want[128];

		s.top_memory.count = 1;
		s.top_memory.entry[0] = live(1, rows[i].name, 1, 0, 100, 0, 0);
		render(&s, NULL, true);
		snprintf(want, sizeof want, "rstat_process_memory_bytes{name=\"%s\"} 100\n", rows[i].label);
		if (!strstr(buffer, want))
			print_error("row %zu: %s\n", i, buffer);
		assert_non_null(strstr(buffer, want));
	}
}

/* Every field at its longest, 20 names in each list that differ and grow: it fits, or nothing would ever be written. */
static void worst(void **state)
{
	static const char fills[] = "\\\"&\xff ";
	size_t longest = 0;

	(void)state;
	for (size_t i = 0; i < sizeof fills; i++) {
		struct sample s = sample_worst(fills[i]);
		struct text t;

		for (unsigned k = 0; k < TOP_MAX; k++) {
			s.top_cpu.entry[k].name[0] = s.top_memory.entry[k].name[0] = s.top_io.entry[k].name[0] = (char)('a' + k);
			s.top_cpu.entry[k].cpu_ppm = 123457;
			s.top_memory.entry[k].rss_bytes = s.top_io.entry[k].read_bytes_per_second =
				s.top_io.entry[k].write_bytes_per_second = UINT64_MAX;
		}
		for (unsigned k = 0; k < GPUS_MAX; k++)
			s.gpu[k].name[0] = s.battery[k].name[0] = (char)('a' + k);
		for (int file = 0; file < 2; file++) {
			t = render(&s, file ? "x.prom" : NULL, true);
			assert_false(t.cut);
			longest = t.used > longest ? t.used : longest;
			if (fills[i] != '\0')
				assert_int_equal(count("rstat_process_cpu_ratio{"), TOP_MAX);
			assert_int_equal(buffer[t.used - 1], '\n');
		}
	}
	print_message("# longest: %zu of %d bytes\n", longest, OPENMETRICS_SIZE_MAX);
	assert_true(longest > OPENMETRICS_SIZE_MAX / 2);
}

static void check_file(const struct tree *tree, const char *name, const char *content)
{
	char bytes[64] = { 0 };
	int fd = openat(tree->root, name, O_RDONLY);
	struct stat facts;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0644);
	assert_int_equal(read(fd, bytes, sizeof bytes - 1), strlen(content));
	assert_string_equal(bytes, content);
	close(fd);
}

static void replaces(void **state)
{
	struct replace replace;
	struct failure f = { 0 };
	struct tree tree;
	char path[128];
	int old;

	(void)state;
	tree_make(&tree, NULL);
	snprintf(path, sizeof path, "%s/x.prom", tree.path);
	umask(0077);
	assert_int_equal(replace_open(&replace, path, &f), 0);
	assert_int_equal(replace_write(&replace, "one\n", 4), 0);
	check_file(&tree, "x.prom", "one\n");
	old = openat(tree.root, "x.prom", O_RDONLY);
	/* what a killed one has left, or somebody has put there */
	assert_int_equal(symlinkat("x.prom", tree.root, ".x.prom.new"), 0);
	assert_int_equal(replace_write(&replace, "two\n", 4), 0);
	check_file(&tree, "x.prom", "two\n");
	assert_int_equal(faccessat(tree.root, ".x.prom.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	/* who has the old one open reads the old one to its end */
	{
		char bytes[8] = { 0 };

		assert_int_equal(read(old, bytes, sizeof bytes), 4);
		assert_string_equal(bytes, "one\n");
	}
	close(old);
	/* a folder in the way: the error is told, nothing is left */
	assert_int_equal(unlinkat(tree.root, "x.prom", 0), 0);
	umask(0022);	/* with that of replace_open() only root gets into new folders */
	tree_put(&tree, "x.prom/in-the-way", "");
	assert_true(replace_write(&replace, "three\n", 6) < 0);
	assert_true(replace.error < 0);
	assert_int_equal(faccessat(tree.root, ".x.prom.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(unlinkat(tree.root, "x.prom/in-the-way", 0), 0);
	assert_int_equal(unlinkat(tree.root, "x.prom", AT_REMOVEDIR), 0);
	assert_int_equal(replace_write(&replace, "four\n", 5), 0);
	check_file(&tree, "x.prom", "four\n");
	close(replace.directory);
	tree_drop(&tree);
}

static void opens(void **state)
{
	char name[600];
	struct replace replace;

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (unsigned i = 0; i < 2; i++) {
		struct failure f = { 0 };

		assert_true(replace_open(&replace, i ? name : "/no/such/folder/x.prom", &f) < 0);
		f.line[f.length] = '\0';
		assert_non_null(strstr(f.line, i ? "ENAMETOOLONG" : "ENOENT"));
		assert_int_equal(replace.directory, i ? -1 : -SYS_ENOENT);
	}
	{
		struct failure f = { 0 };

		assert_int_equal(replace_open(&replace, "x.prom", &f), 0);
		assert_string_equal(replace.name, "x.prom");
		assert_string_equal(replace.fresh, ".x.prom.new");
		close(replace.directory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden), cmocka_unit_test(one_series_per_name), cmocka_unit_test(one_series_per_device),
		cmocka_unit_test(labels), cmocka_unit_test(worst), cmocka_unit_test(replaces), cmocka_unit_test(opens),
	};

	return cmocka_run_group_tests_name("openmetrics", tests, NULL, NULL);
}
