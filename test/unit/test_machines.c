/* SPDX-License-Identifier: MIT */
/* Machines that this one is not: trees of test/fixtures/machines, read twice, as JSON and as the panel shows them. */
#include "test/unit/tree.h"
#include "test/unit/check.h"
#include "test/unit/emit_sample.h"

#include "collect/sources.h"
#include "emit/json.h"
#include "emit/panel.h"

enum { PAGE = 4096 };

static uint64_t now_ns;

static uint64_t clock_of_test(void)
{
	return now_ns;
}

static struct sources *new_sources(void)
{
	struct sources *sources = malloc(sizeof *sources);

	assert_non_null(sources);
	/* whatever is not set must not be looked at */
	return memset(sources, 0xa5, sizeof *sources);
}

/* \x41 in what a fixture says. */
static size_t unescape(char *text)
{
	char *to = text;

	for (char *at = text; *at;) {
		unsigned byte;

		if (sscanf(at, "\\x%2x", &byte) == 1) {
			*to++ = (char)byte;
			at += 4;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

static void put_link(const struct tree *tree, const char *path, const char *target)
{
	tree_directories(tree, path);
	unlinkat(tree->root, path, 0);
	assert_int_equal(symlinkat(target, tree->root, path), 0);
}

/* One line: see test/fixtures/machines/README. */
static void put_line(const struct tree *tree, char *line)
{
	char *at;

	if ((at = strstr(line, " -> "))) {
		*at = '\0';
		put_link(tree, line, at + 4);
	} else if ((at = strstr(line, " = "))) {
		size_t size;

		*at = '\0';
		at += 3;
		size = unescape(at);
		if (size)
			at[size++] = '\n';
		tree_write(tree, line, at, size);
	} else {
		at = strstr(line, " /");
		assert_non_null(at);
		strcpy(at, "/");
		tree_put(tree, line, "");
	}
}

/* Puts the lines of one part, 0 or 1, of the fixture into the tree. */
static void unpack(const struct tree *tree, const char *name, int part)
{
	char path[128], line[512];
	FILE *file;
	int at = 0;

	snprintf(path, sizeof path, "test/fixtures/machines/%s", name);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "@ later"))
			at = 1;
		else if (line[0] && line[0] != '#' && at == part)
			put_line(tree, line);
	}
	fclose(file);
}

static void begin_sample(struct sample *s, bool rates)
{
	memset(s, 0xa5, sizeof *s);
	s->known = rates ? KNOWS_RATES : 0;
	s->elapsed_ns = 1000000000;
	s->throttled_count = s->gpu_count = s->battery_count = 0;
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		s->pressure[i].known = false;
}

/* What is not read from the tree: always the same. */
static void fix_rest(struct sample *s)
{
	s->source = SOURCE_BTF;
	memset(s->reason, 0, sizeof s->reason);
	s->time_unix_ms = 1770562336123;
	s->interval_ms = 1000;
	s->cost_ns = 31000;
	s->cpu_ppm = 73000;
	s->other_cpu_ppm = 0;
	for (unsigned i = 0; i < 3; i++)
		s->load_milli[i] = 420;
	s->read_bytes_per_second = s->write_bytes_per_second = 0;
	memset(&s->cpu_history, 0, sizeof s->cpu_history);
	memset(&s->memory_history, 0, sizeof s->memory_history);
	s->top_cpu.count = s->top_memory.count = s->top_io.count = 0;
	s->blocked_count = s->blocked_listed = 0;
	s->tasks_total = 300;
	s->tasks_running = 1;
	s->slots = 8192;
	s->slots_used = 300;
	s->without_slot = s->dropped = s->lost = 0;
}

static void check(const char *name, const struct sources_choice *choice, const char *golden)
{
	static char buffer[JSON_SIZE_MAX + 1];
	struct sources *sources = new_sources();
	struct text t = text_over(buffer, JSON_SIZE_MAX);
	struct sample s;
	struct tree tree;
	char file[128];

	print_message("%s\n", golden);
	tree_make(&tree, NULL);
	unpack(&tree, name, 0);
	now_ns = 1000000000;
	sources_open(sources, tree.root, PAGE, choice, clock_of_test);
	begin_sample(&s, false);
	sources_read(sources, &s);
	unpack(&tree, name, 1);
	now_ns += 1000000000;
	begin_sample(&s, true);
	sources_read(sources, &s);
	fix_rest(&s);
	json_write(&t, &s);
	snprintf(file, sizeof file, "machines/%s.json", golden);
	check_golden(&t, file);
	t = text_over(buffer, PANEL_SIZE_MAX);
	panel_write(&t, &s, PANEL_PLAIN, LIST_ALL);
	text_char(&t, '\n');
	snprintf(file, sizeof file, "machines/%s.panel", golden);
	check_golden(&t, file);
	sources_seal(sources);
	gpu_close(&sources->gpus);
	battery_close(&sources->batteries);
	free(sources);
	tree_drop(&tree);
}

static void machines(void **state)
{
	static const char *const names[] = {
		"intel-laptop", "intel-desktop", "intel-hybrid", "amd-desktop", "amd-laptop", "raspberry-pi",
		"snapdragon-laptop", "server", "virtual-machine", "broken",
	};
	const struct sources_choice best = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		check(names[i], &best, names[i]);
}

/* What the user chose instead. */
static void choices(void **state)
{
	static const struct {
		const char *name, *golden;
		struct sources_choice choice;
	} rows[] = {
		{ "amd-desktop", "amd-desktop-nvme", { .temperature = "nvme", .gpu = "none" } },
		{ "amd-desktop", "amd-desktop-tctl", { .temperature = "k10temp:Tctl", .gpu = "amdgpu" } },
		{ "amd-laptop", "amd-laptop-card1", { .gpu = "card1", .battery = "none" } },
		{ "snapdragon-laptop", "snapdragon-laptop-gpu", { .temperature = "gpuss-0-thermal", .gpu = "i915" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].name, &rows[i].choice, rows[i].golden);
}

/* A choice that is not there is said once, and costs the field. */
static void missing_choices(void **state)
{
	static const struct {
		struct sources_choice choice;
		const char *notice;
	} rows[] = {
		{ { .temperature = "k10temp" }, "--temperature k10temp is not on this machine; rstat --check lists what is" },
		{ { .temperature = "coretemp:Core 9" }, "--temperature coretemp:Core 9 is not on this machine; rstat --check lists what is" },
		{ { .gpu = "card7" }, "--gpu card7 is not on this machine; rstat --check lists what is" },
		{ { .battery = "BAT1" }, "--battery BAT1 is not on this machine; rstat --check lists what is" },
		{ { .battery = "none", .gpu = "none" }, NULL },
		{ { .temperature = "coretemp:Core 0", .battery = "BAT0" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sources *sources = new_sources();
		struct tree tree;
		const char *notice;

		tree_make(&tree, NULL);
		unpack(&tree, "intel-laptop", 0);
		sources_open(sources, tree.root, PAGE, &rows[i].choice, clock_of_test);
		notice = sources_notice(sources);
		if (rows[i].notice)
			assert_string_equal(notice, rows[i].notice);
		else
			assert_null(notice);
		assert_null(sources_notice(sources));
		free(sources);
		tree_drop(&tree);
	}
}

/* Devices that come and go are seen at the next look, 30 s apart, until nothing may be opened any more. */
static void hotplug(void **state)
{
	struct sources *sources = new_sources();
	const struct sources_choice best = { 0 };
	struct sample s;
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL);
	unpack(&tree, "virtual-machine", 0);
	now_ns = 1000000000;
	sources_open(sources, tree.root, PAGE, &best, clock_of_test);
	unpack(&tree, "amd-laptop", 0);
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu_count, 1);
	assert_int_equal(s.battery_count, 0);
	assert_false(s.known & KNOWS_TEMPERATURE);
	now_ns += SOURCES_SCAN_NS;
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu_count, 2);
	assert_int_equal(s.battery_count, 1);
	assert_true(s.known & KNOWS_TEMPERATURE);
	/* gone */
	assert_int_equal(renameat(tree.root, "sys/class/power_supply/BAT1", tree.root, "sys/gone"), 0);
	now_ns += SOURCES_SCAN_NS;
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.battery_count, 0);
	/* sealed: it comes back unseen */
	sources_seal(sources);
	assert_int_equal(renameat(tree.root, "sys/gone", tree.root, "sys/class/power_supply/BAT1"), 0);
	now_ns += SOURCES_SCAN_NS;
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.battery_count, 0);
	assert_int_equal(s.gpu_count, 2);
	free(sources);
	tree_drop(&tree);
}

/* A suspended GPU that wakes is opened then; one that falls asleep says nothing but that. */
static void waking(void **state)
{
	struct sources *sources = new_sources();
	const struct sources_choice only = { .gpu = "card0" };
	struct sample s;
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL);
	unpack(&tree, "amd-laptop", 0);
	now_ns = 1000000000;
	sources_open(sources, tree.root, PAGE, &only, clock_of_test);
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu_count, 1);
	assert_int_equal(s.gpu[0].state, GPU_ASLEEP);
	assert_int_equal(s.gpu[0].known, 0);
	assert_false(sources->gpus.gpu[0].opened);
	tree_put(&tree, "sys/class/drm/card0/device/power_state", "D0\n");
	tree_put(&tree, "sys/class/drm/card0/device/power/runtime_status", "active\n");
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu[0].state, GPU_AWAKE);
	assert_int_equal(s.gpu[0].busy_ppm, 990000);
	assert_true(s.gpu[0].known & GPU_KNOWS_MEMORY);
	tree_put(&tree, "sys/class/drm/card0/device/power/runtime_status", "suspending\n");
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu[0].state, GPU_ASLEEP);
	assert_int_equal(s.gpu[0].known, 0);
	free(sources);
	tree_drop(&tree);
}

/* One that has slept is left alone while it is idle, for twice the time after which it would sleep. */
static void resting(void **state)
{
	struct sources *sources = new_sources();
	const struct sources_choice only = { .gpu = "card1" };
	struct sample s;
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL);
	unpack(&tree, "amd-laptop", 0);
	tree_put(&tree, "sys/class/drm/card1/device/power/runtime_suspended_time", "12345\n");
	tree_put(&tree, "sys/class/drm/card1/device/power/autosuspend_delay_ms", "5000\n");
	tree_put(&tree, "sys/class/drm/card1/device/gpu_busy_percent", "0\n");
	now_ns = 1000000000;
	sources_open(sources, tree.root, PAGE, &only, clock_of_test);
	begin_sample(&s, true);
	sources_read(sources, &s);
	tree_put(&tree, "sys/class/drm/card1/device/gpu_busy_percent", "70\n");
	for (unsigned i = 0; i < 9; i++) {
		now_ns += 1000000000;
		begin_sample(&s, true);
		sources_read(sources, &s);
		assert_int_equal(s.gpu[0].busy_ppm, 0);
	}
	now_ns += 1000000000;
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu[0].busy_ppm, 700000);
	/* busy: read each time */
	tree_put(&tree, "sys/class/drm/card1/device/gpu_busy_percent", "50\n");
	now_ns += 1000000000;
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu[0].busy_ppm, 500000);
	free(sources);
	tree_drop(&tree);
}

/* An attribute that is lost for a moment is there again after the next look, and so is a device that was replaced. */
static void lost_and_found(void **state)
{
	struct sources *sources = new_sources();
	const struct sources_choice best = { 0 };
	struct sample s;
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL);
	unpack(&tree, "intel-laptop", 0);
	now_ns = 1000000000;
	sources_open(sources, tree.root, PAGE, &best, clock_of_test);
	/* as after ENODEV */
	file_close(&sources->batteries.battery[0].file[BATTERY_POWER]);
	file_close(&sources->gpus.gpu[0].runtime_status);
	file_close(&sources->gpus.gpu[0].power_state);
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu_count, 0);
	assert_false(s.battery[0].known & BATTERY_KNOWS_POWER);
	now_ns += SOURCES_SCAN_NS;
	begin_sample(&s, true);
	sources_read(sources, &s);
	assert_int_equal(s.gpu_count, 1);
	assert_true(s.battery[0].known & BATTERY_KNOWS_POWER);
	free(sources);
	tree_drop(&tree);
}

static void states(void **state)
{
	static const struct {
		const char *runtime, *power;
		enum gpu_state state;
	} rows[] = {
		{ "active\n", "D0\n", GPU_AWAKE },	 { "active\n", NULL, GPU_AWAKE },
		{ NULL, "D0\n", GPU_AWAKE },		 { "suspended\n", "D0\n", GPU_ASLEEP },
		{ "active\n", "D3cold\n", GPU_ASLEEP },	 { NULL, "D3hot\n", GPU_ASLEEP },
		{ "suspending\n", NULL, GPU_ASLEEP },	 { "resuming\n", "D3hot\n", GPU_ASLEEP },
		{ "unsupported\n", "D0\n", GPU_AWAKE },	 { "error\n", "unknown\n", GPU_AWAKE },
		{ NULL, NULL, GPU_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(gpu_state_of(rows[i].runtime ? rows[i].runtime : "", rows[i].runtime ? (long)strlen(rows[i].runtime) : -2,
					      rows[i].power ? rows[i].power : "", rows[i].power ? (long)strlen(rows[i].power) : -2),
				 rows[i].state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines), cmocka_unit_test(choices), cmocka_unit_test(missing_choices),
		cmocka_unit_test(hotplug),  cmocka_unit_test(waking),  cmocka_unit_test(states),
		cmocka_unit_test(resting),  cmocka_unit_test(lost_and_found),
	};

	return cmocka_run_group_tests_name("machines", tests, NULL, NULL);
}
