/* SPDX-License-Identifier: MIT */
/*
 * All that is read of /proc and /sys but the tasks, on a machine made of text (fake.h): files with any content, devices that
 * come, go and fail, a clock that jumps. The files of test/fixtures/machines are inputs as they are.
 */
#include "test/fuzz/fake.h"
#include "test/fuzz/judge.h"

#include "collect/sources.h"
#include "emit/json.h"

enum { PARTS_MAX = 6, SECOND = 1000000000 };

static void check_device_name(const char *name, size_t size)
{
	MUST(memchr(name, 0, size));
}

static void check_sensors(const struct sample *s)
{
	MUST(s->throttled_count <= THROTTLED_MAX && s->gpu_count <= GPUS_MAX && s->battery_count <= BATTERIES_MAX);
	if (s->known & KNOWS_TEMPERATURE)
		MUST(thermal_plausible(s->temperature_millicelsius));
	if (s->known & KNOWS_FREQUENCY)
		MUST(s->frequency_fastest_hz && s->frequency_mean_hz <= s->frequency_fastest_hz && s->frequency_fastest_hz <= 100000000000);
	if (s->known & KNOWS_FREQUENCY_MAX)
		MUST(s->frequency_max_hz && s->frequency_max_hz <= 100000000000);
	if (s->known & KNOWS_PROFILE)
		check_device_name(s->power_profile, sizeof s->power_profile);
	for (uint32_t i = 0; i < s->gpu_count; i++) {
		const struct gpu_entry *gpu = &s->gpu[i];

		check_device_name(gpu->name, sizeof gpu->name);
		check_device_name(gpu->driver, sizeof gpu->driver);
		MUST(gpu->throttled_count <= REASONS_MAX && gpu->state <= GPU_UNKNOWN);
		MUST(!(gpu->known & GPU_KNOWS_BUSY) || gpu->busy_ppm <= PPM);
		MUST(!(gpu->known & GPU_KNOWS_TEMPERATURE) || thermal_plausible(gpu->temperature_millicelsius));
		MUST(!(gpu->known & GPU_KNOWS_MEMORY) || gpu->memory_used_bytes <= gpu->memory_total_bytes);
		MUST(gpu->state != GPU_ASLEEP || (!gpu->known && !gpu->throttled_count));
		for (uint32_t k = 0; k < gpu->throttled_count; k++)
			check_device_name(gpu->throttled[k], REASON_NAME_SIZE);
	}
	for (uint32_t i = 0; i < s->battery_count; i++) {
		check_device_name(s->battery[i].name, DEVICE_NAME_SIZE);
		check_device_name(s->battery[i].status, DEVICE_NAME_SIZE);
		MUST(!(s->battery[i].known & BATTERY_KNOWS_RATIO) || s->battery[i].charge_ppm <= PPM);
	}
}

static void check_machine(const struct sample *s)
{
	MUST(s->cpus && s->cpus <= SYSTEM_CPUS_MAX);
	if (s->known & KNOWS_MEMORY)
		MUST(s->memory_total_bytes && s->memory_used_bytes + s->memory_available_bytes == s->memory_total_bytes &&
		     s->swap_used_bytes <= s->swap_total_bytes);
	MUST(!(s->known & KNOWS_SWAP_RATES) || (s->known & KNOWS_MEMORY && s->swap_total_bytes));
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		MUST(!s->pressure[i].known || (s->pressure[i].some_ppm <= PPM && (!s->pressure[i].full_known || s->pressure[i].full_ppm <= PPM)));
}

/* What the collectors give, a face must be able to show. */
static void check_shown(const struct sample *s)
{
	static char data[JSON_SIZE_MAX];
	struct text t = text_over(data, sizeof data);
	struct sample shown = *s;

	shown.source = SOURCE_BTF;
	shown.reason[0] = 0;
	shown.top_cpu.count = shown.top_memory.count = shown.top_io.count = shown.blocked_listed = shown.blocked_count = 0;
	json_write(&t, &shown);
	MUST(!t.cut);
	json_decref(judge_json(data, t.used));
}

/*
 * Of a GPU that is suspended nothing but its state is opened or read (its driver's name is a link). Only where no call
 * has failed: a state that cannot be read counts as awake. And only for what was there from the beginning: files of a
 * device that come after it are none that it could have been opened with.
 */
static unsigned first_nodes;

static void watch(uint16_t node, bool reading)
{
	char path[64], state[64];
	const char *name = fake.node[node].name;
	int drm = fake_find("sys/class/drm"), card = node;

	if (fake.faulty || drm <= 0 || fake.node[node].kind == FAKE_FOLDER)
		return;
	while (card && fake.node[card].parent != drm)
		card = fake.node[card].parent;
	if (!card || !strcmp(name, "runtime_status") || !strcmp(name, "power_state") || !reading)
		return;
	snprintf(path, sizeof path, "sys/class/drm/%s/device/power/runtime_status", fake.node[card].name);
	if (fake_find(path) < (int)first_nodes && fake_string(path, state, sizeof state))
		MUST(strcmp(state, "suspended"));
}

static void choose(struct sources_choice *choice, char data[4][64])
{
	*choice = (struct sources_choice){
		.temperature = fake_string("choice/temperature", data[0], sizeof data[0]),
		.gpu = fake_string("choice/gpu", data[1], sizeof data[1]),
		.battery = fake_string("choice/battery", data[2], sizeof data[2]),
	};
	if (fake_string("choice/budget", data[3], sizeof data[3]))
		choice->budget_ns = 10000 + strtoull(data[3], NULL, 10) % 1000000000;
}

static void take(struct sources *sources, struct sample *s, bool rates)
{
	const char *notice;

	memset(s, 0xa5, sizeof *s);
	s->known = rates ? KNOWS_RATES : 0;
	s->elapsed_ns = SECOND;
	s->throttled_count = s->gpu_count = s->battery_count = 0;
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		s->pressure[i].known = false;
	sources_read(sources, s);
	check_machine(s);
	check_sensors(s);
	check_shown(s);
	notice = sources_notice(sources);
	if (notice)
		MUST(memchr(notice, 0, SOURCES_NOTICE_SIZE) && !strchr(notice, '\n'));
	MUST(!sources_notice(sources));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sources *sources;
	struct feed feed = feed_over(data, size);
	struct sources_choice choice;
	char chosen[4][64];
	struct sample s;
	int root;

	if (!sources)
		sources = malloc(sizeof *sources);
	memset(sources, 0xa5, sizeof *sources);
	fake_begin();
	fake_part(&feed);
	first_nodes = fake.nodes;
	fake.watch = watch;
	choose(&choice, chosen);
	root = fake_root();
	sources_open(sources, root, 4096, &choice, fake_clock);
	sources_notice(sources);
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		take(sources, &s, i > 0);
		take(sources, &s, true);
		fake.now_ns += SECOND;
		if (fake_find("seal") > 0 && !fake.sealed) {
			sources_seal(sources);
			fake.sealed = true;	/* from here on an openat is a defect */
		}
		if (!fake_part(&feed))
			break;
		if (fake_find("long") > 0)
			fake.now_ns += SOURCES_SCAN_NS;
	}
	fake.sealed = false;
	gpu_close(&sources->gpus);
	battery_close(&sources->batteries);
	fake_end();
	return 0;
}
