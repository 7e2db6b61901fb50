/* SPDX-License-Identifier: MIT */
#include "collect/gpu.h"

#include "collect/parse.h"
#include "collect/thermal.h"
#include "loader/memory.h"
#include "loader/sys.h"
#include "loader/text.h"

enum { PATH_SIZE = 160, WORD_SIZE = 32, TILES_MAX = 4, HWMON_MAX = 4, NS_PER_MS = 1000000, PERCENT = 100, HZ_PER_MHZ = 1000000, REST_MOST_MS = 600000 };

/* ---- paths and names */

/* "a/b" of at most PATH_SIZE - 1 bytes; false where it is longer. */
static bool join(char path[PATH_SIZE], const char *a, const char *b)
{
	struct text t = text_over(path, PATH_SIZE - 1);

	text_string(&t, a);
	text_char(&t, '/');
	text_string(&t, b);
	path[t.used] = '\0';
	return !t.cut;
}

static int open_below(int class, const char *folder, const char *name)
{
	char path[PATH_SIZE];

	return join(path, folder, name) ? file_open(class, path) : -SYS_ENOENT;
}

static int64_t number_below(int class, const char *folder, const char *name)
{
	char path[PATH_SIZE];
	int64_t value;

	return join(path, folder, name) && !file_number_at(class, path, &value) ? value : -1;
}

static void copy_word(char *to, size_t size, struct parse from)
{
	size_t length = parse_left(&from) < size - 1 ? parse_left(&from) : size - 1;

	memcpy(to, from.at, length);
	memset(to + length, 0, size - length);
}

/* The last part of where folder/device/driver leads. */
static void read_driver(int class, const char *card, char driver[DEVICE_NAME_SIZE])
{
	char path[PATH_SIZE], target[PATH_SIZE];
	/* a negative one must not turn into AT_FDCWD */
	bool there = class >= 0 && join(path, card, "device/driver");
	long size = there ? sys_readlink_at(class, path, target, sizeof target) : -1;
	struct parse name = parse_over(target, size > 0 && size < (long)sizeof target ? (size_t)size : 0);

	for (const char *at = name.at; at < name.end; at++)
		if (*at == '/')
			name.at = at + 1;
	copy_word(driver, DEVICE_NAME_SIZE, name);
}

static enum gpu_kind kind_of(const char *driver)
{
	static const struct {
		const char *driver;
		enum gpu_kind kind;
	} kinds[] = { { "i915", GPU_I915 }, { "xe", GPU_XE }, { "amdgpu", GPU_AMDGPU } };

	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (parse_matches(parse_word(driver), kinds[i].driver))
			return kinds[i].kind;
	return GPU_OTHER;
}

/* ---- what is read of one that is awake */

static void close_files(struct gpu *gpu)
{
	for (unsigned i = 0; i < GPU_FILES; i++)
		file_close(&gpu->file[i]);
	for (unsigned i = 0; i < gpu->reasons; i++)
		file_close(&gpu->reason[i]);
	gpu->reasons = 0;
	gpu->opened = false;
	gpu->idle_ms = -1;
	gpu->shown.known = 0;
}

/* The files of a folder that each say whether one reason throttles now. The one that says "any" is none. */
static void open_reasons(struct gpu *gpu, int class, const char *folder, const char *pattern, const char *prefix)
{
	char names[GPU_REASONS_MAX + 1][FILE_NAME_SIZE];
	int count = 0, directory = file_open(class, folder);

	if (directory >= 0)
		count = file_list(directory, ".", pattern, names, GPU_REASONS_MAX + 1);
	for (int i = 0; i < count && gpu->reasons < GPU_REASONS_MAX; i++) {
		struct parse name = parse_word(names[i]);
		int fd;

		if (!parse_literal(&name, prefix) || parse_matches(name, "status"))
			continue;
		fd = file_open(directory, names[i]);
		if (fd < 0)
			continue;
		copy_word(gpu->reason_name[gpu->reasons], REASON_NAME_SIZE, name);
		gpu->reason[gpu->reasons++] = fd;
	}
	file_close(&directory);
}

static void set_frequency_max(struct gpu *gpu, int64_t megahertz)
{
	if (megahertz <= 0 || megahertz > UINT32_MAX)
		return;
	gpu->shown.frequency_max_hz = (uint64_t)megahertz * HZ_PER_MHZ;
}

/* gt/gt0 is the one that renders; before 6.0 all was in the card's own folder. */
static void open_i915(struct gpu *gpu, int class)
{
	char folder[PATH_SIZE];

	if (!join(folder, gpu->shown.name, "gt/gt0"))
		return;
	gpu->file[GPU_FREQUENCY] = open_below(class, folder, "rps_act_freq_mhz");
	if (gpu->file[GPU_FREQUENCY] >= 0) {
		gpu->file[GPU_IDLE] = open_below(class, folder, "rc6_residency_ms");
		set_frequency_max(gpu, number_below(class, folder, "rps_max_freq_mhz"));
		open_reasons(gpu, class, folder, "throttle_reason_*", "throttle_reason_");
		return;
	}
	gpu->file[GPU_FREQUENCY] = open_below(class, gpu->shown.name, "gt_act_freq_mhz");
	gpu->file[GPU_IDLE] = open_below(class, gpu->shown.name, "power/rc6_residency_ms");
	set_frequency_max(gpu, number_below(class, gpu->shown.name, "gt_max_freq_mhz"));
}

/* Whether the GT in the folder renders: its idle state is called gtN-rc, that of the media engine gtN-mc. */
static bool renders(int class, const char *folder)
{
	char path[PATH_SIZE], name[WORD_SIZE];
	int fd = join(path, folder, "gtidle/name") ? file_open(class, path) : -SYS_ENOENT;
	long size = file_read(&fd, name, sizeof name);

	file_close(&fd);
	return size > 0 && parse_matches(parse_trimmed(parse_over(name, (size_t)size)), "gt#-rc");
}

static bool find_gt(int class, const char *card, char found[PATH_SIZE])
{
	char tiles[TILES_MAX][FILE_NAME_SIZE], gts[TILES_MAX][FILE_NAME_SIZE], device[PATH_SIZE], tile[PATH_SIZE];
	int tile_count = join(device, card, "device") ? file_list(class, device, "tile#", tiles, TILES_MAX) : 0;

	for (int i = 0; i < tile_count; i++) {
		int count = join(tile, device, tiles[i]) ? file_list(class, tile, "gt#", gts, TILES_MAX) : 0;

		for (int j = 0; j < count; j++)
			if (join(found, tile, gts[j]) && renders(class, found))
				return true;
	}
	return false;
}

static void open_xe(struct gpu *gpu, int class)
{
	char gt[PATH_SIZE], folder[PATH_SIZE];

	if (!find_gt(class, gpu->shown.name, gt) || !join(folder, gt, "freq0"))
		return;
	gpu->file[GPU_FREQUENCY] = open_below(class, folder, "act_freq");
	gpu->file[GPU_IDLE] = open_below(class, gt, "gtidle/idle_residency_ms");
	set_frequency_max(gpu, number_below(class, folder, "max_freq"));
	if (join(folder, gt, "freq0/throttle"))
		open_reasons(gpu, class, folder, "reason_*", "reason_");
}

static void open_amdgpu(struct gpu *gpu, int class)
{
	char names[HWMON_MAX][FILE_NAME_SIZE], device[PATH_SIZE], folder[PATH_SIZE], hwmon[PATH_SIZE];
	int64_t total;

	if (!join(device, gpu->shown.name, "device"))
		return;
	gpu->file[GPU_IDLE] = open_below(class, device, "gpu_busy_percent");
	gpu->file[GPU_MEMORY_USED] = open_below(class, device, "mem_info_vram_used");
	total = number_below(class, device, "mem_info_vram_total");
	gpu->shown.memory_total_bytes = total > 0 ? (uint64_t)total : 0;
	if (!join(folder, device, "hwmon") || file_list(class, folder, "hwmon#", names, HWMON_MAX) < 1 ||
	    !join(hwmon, folder, names[0]))
		return;
	gpu->file[GPU_FREQUENCY] = open_below(class, hwmon, "freq1_input");
	gpu->file[GPU_TEMPERATURE] = open_below(class, hwmon, "temp1_input");
	gpu->file[GPU_POWER] = open_below(class, hwmon, "power1_average");
	if (gpu->file[GPU_POWER] < 0)
		gpu->file[GPU_POWER] = open_below(class, hwmon, "power1_input");
}

/*
 * Each reading of a GPU puts its sleep off (pm_runtime_mark_last_busy). One that has slept since boot gets twice the time
 * after which it would, while it is idle. One that never has drives a display, or may not.
 */
static void plan_rest(struct gpu *gpu, int class)
{
	int64_t slept_ms = number_below(class, gpu->shown.name, "device/power/runtime_suspended_time");
	int64_t delay_ms = number_below(class, gpu->shown.name, "device/power/autosuspend_delay_ms");

	gpu->rest_ns = slept_ms > 0 && delay_ms > 0 && delay_ms < REST_MOST_MS ? 2 * (uint64_t)delay_ms * NS_PER_MS : 0;
}

static void open_awake(struct gpu_source *gpus, struct gpu *gpu)
{
	if (gpus->class < 0)
		return;
	gpu->opened = true;
	plan_rest(gpu, gpus->class);
	switch (gpu->kind) {
	case GPU_I915: open_i915(gpu, gpus->class); break;
	case GPU_XE: open_xe(gpu, gpus->class); break;
	case GPU_AMDGPU: open_amdgpu(gpu, gpus->class); break;
	case GPU_OTHER: break;
	}
}

/* ---- reading */

enum gpu_state gpu_state_of(const char *runtime_status, long runtime_size, const char *power_state, long power_size)
{
	struct parse runtime = parse_trimmed(parse_over(runtime_status, runtime_size > 0 ? (size_t)runtime_size : 0));
	struct parse power = parse_trimmed(parse_over(power_state, power_size > 0 ? (size_t)power_size : 0));

	/* on its way in either direction: a read would have to wait for it, or turn it round */
	if (parse_matches(runtime, "suspend*") || parse_matches(runtime, "resuming") || parse_matches(power, "D3*"))
		return GPU_ASLEEP;
	return parse_left(&runtime) || parse_left(&power) ? GPU_AWAKE : GPU_UNKNOWN;
}

bool gpu_device_asleep(int directory, const char *folder)
{
	char runtime[WORD_SIZE], power[WORD_SIZE];
	int runtime_fd = open_below(directory, folder, "power/runtime_status");
	int power_fd = open_below(directory, folder, "power_state");
	long runtime_size = file_read(&runtime_fd, runtime, sizeof runtime);
	long power_size = file_read(&power_fd, power, sizeof power);

	file_close(&runtime_fd);
	file_close(&power_fd);
	return gpu_state_of(runtime, runtime_size, power, power_size) == GPU_ASLEEP;
}

static enum gpu_state read_state(struct gpu *gpu)
{
	char runtime[WORD_SIZE], power[WORD_SIZE];
	long runtime_size = file_read(&gpu->runtime_status, runtime, sizeof runtime);
	long power_size = file_read(&gpu->power_state, power, sizeof power);

	return gpu_state_of(runtime, runtime_size, power, power_size);
}

/* A number that is not negative, times `unit`; false where there is none. */
static bool read_scaled(int *fd, uint64_t unit, uint64_t *value)
{
	int64_t number;

	if (file_read_number(fd, &number) || number < 0 || __builtin_mul_overflow((uint64_t)number, unit, value))
		return false;
	return true;
}

/* busy = 1 - d(idle)/dt; needs a reading before, not so close that milliseconds are too coarse. */
static void read_residency(struct gpu *gpu, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - gpu->idle_ns, idle_ns;
	int64_t idle_ms, before = gpu->idle_ms;

	if (before >= 0 && elapsed_ns < 10 * NS_PER_MS)
		return;
	gpu->shown.known &= ~(uint32_t)GPU_KNOWS_BUSY;
	if (file_read_number(&gpu->file[GPU_IDLE], &idle_ms) || idle_ms < 0) {
		gpu->idle_ms = -1;
		return;
	}
	gpu->idle_ms = idle_ms;
	gpu->idle_ns = now_ns;
	if (before < 0 || idle_ms < before)
		return;
	if (__builtin_mul_overflow((uint64_t)(idle_ms - before), (uint64_t)NS_PER_MS, &idle_ns) || idle_ns > elapsed_ns)
		idle_ns = elapsed_ns;
	/* in us, so that an hour between two readings still fits */
	gpu->shown.busy_ppm = (uint32_t)((elapsed_ns - idle_ns) / 1000 * PPM / (elapsed_ns / 1000));
	gpu->shown.known |= GPU_KNOWS_BUSY;
}

static void read_busy_percent(struct gpu *gpu)
{
	uint64_t percent;

	gpu->shown.known &= ~(uint32_t)GPU_KNOWS_BUSY;
	if (!read_scaled(&gpu->file[GPU_IDLE], 1, &percent) || percent > PERCENT)
		return;
	gpu->shown.busy_ppm = (uint32_t)percent * (PPM / PERCENT);
	gpu->shown.known |= GPU_KNOWS_BUSY;
}

static void read_reasons(struct gpu *gpu)
{
	struct gpu_entry *shown = &gpu->shown;

	shown->throttled_count = 0;
	for (unsigned i = 0; i < gpu->reasons && shown->throttled_count < REASONS_MAX; i++) {
		int64_t active;

		if (file_read_number(&gpu->reason[i], &active) || !active)
			continue;
		memcpy(shown->throttled[shown->throttled_count++], gpu->reason_name[i], REASON_NAME_SIZE);
	}
}

static void read_awake(struct gpu *gpu, uint64_t now_ns)
{
	struct gpu_entry *shown = &gpu->shown;
	int64_t temperature;

	shown->known &= GPU_KNOWS_BUSY;
	if (read_scaled(&gpu->file[GPU_FREQUENCY], gpu->kind == GPU_AMDGPU ? 1 : HZ_PER_MHZ, &shown->frequency_hz))
		shown->known |= GPU_KNOWS_FREQUENCY;
	if (shown->frequency_max_hz)
		shown->known |= GPU_KNOWS_FREQUENCY_MAX;
	if (gpu->kind == GPU_AMDGPU)
		read_busy_percent(gpu);
	else
		read_residency(gpu, now_ns);
	if (!file_read_number(&gpu->file[GPU_TEMPERATURE], &temperature) && thermal_plausible(temperature)) {
		shown->temperature_millicelsius = (int32_t)temperature;
		shown->known |= GPU_KNOWS_TEMPERATURE;
	}
	if (shown->memory_total_bytes && read_scaled(&gpu->file[GPU_MEMORY_USED], 1, &shown->memory_used_bytes) &&
	    shown->memory_used_bytes <= shown->memory_total_bytes)
		shown->known |= GPU_KNOWS_MEMORY;
	if (read_scaled(&gpu->file[GPU_POWER], 1, &shown->power_microwatts))
		shown->known |= GPU_KNOWS_POWER;
	read_reasons(gpu);
}

void gpu_read(struct gpu_source *gpus, struct gpu *gpu, uint64_t now_ns)
{
	gpu->shown.state = read_state(gpu);
	if (gpu->shown.state == GPU_ASLEEP) {
		gpu->shown.known = gpu->shown.throttled_count = 0;
		gpu->idle_ms = -1;	/* what it slept is no time in which it was idle */
		return;
	}
	if (!gpu->opened)
		open_awake(gpus, gpu);
	if (gpu->rest_ns && gpu->shown.known & GPU_KNOWS_BUSY && gpu->shown.busy_ppm < PPM / 100 &&
	    now_ns - gpu->touched_ns < gpu->rest_ns)
		return;		/* what it said last stands: it is idle, and may go to sleep */
	gpu->touched_ns = now_ns;
	read_awake(gpu, now_ns);
}

bool gpu_present(const struct gpu *gpu)
{
	return !gpu->had_state || gpu->runtime_status >= 0 || gpu->power_state >= 0;
}

/* ---- finding them */

static bool is_chosen(const struct gpu_entry *gpu, const char *only)
{
	return !only || parse_matches(parse_word(gpu->name), only) || parse_matches(parse_word(gpu->driver), only);
}

/* "card1", not the connector "card1-DP-1". */
static int list_cards(int root, char names[GPU_CARDS_MAX][FILE_NAME_SIZE])
{
	return file_list(root, "sys/class/drm", "card#", names, GPU_CARDS_MAX);
}

static void open_card(struct gpu_source *gpus, const char *name, const char *only)
{
	struct gpu *gpu = &gpus->gpu[gpus->count];

	*gpu = (struct gpu){ .idle_ms = -1 };
	copy_word(gpu->shown.name, DEVICE_NAME_SIZE, parse_word(name));
	read_driver(gpus->class, name, gpu->shown.driver);
	for (unsigned i = 0; i < GPU_FILES; i++)
		gpu->file[i] = -SYS_EBADF;
	if (!is_chosen(&gpu->shown, only))
		return;
	gpu->kind = kind_of(gpu->shown.driver);
	gpu->shown.state = GPU_UNKNOWN;
	gpu->runtime_status = open_below(gpus->class, name, "device/power/runtime_status");
	gpu->power_state = open_below(gpus->class, name, "device/power_state");
	gpu->had_state = gpu->runtime_status >= 0 || gpu->power_state >= 0;
	gpus->count += gpu->had_state || gpu->shown.driver[0];
}

void gpu_open(struct gpu_source *gpus, int root, const char *only)
{
	gpus->class = file_open(root, "sys/class/drm");
	gpus->count = 0;
	gpus->cards = list_cards(root, gpus->names);
	if (only && parse_matches(parse_word(only), "none"))
		return;
	for (int i = 0; i < gpus->cards && gpus->count < GPUS_MAX; i++)
		open_card(gpus, gpus->names[i], only);
}

void gpu_close(struct gpu_source *gpus)
{
	for (unsigned i = 0; i < gpus->count; i++) {
		close_files(&gpus->gpu[i]);
		file_close(&gpus->gpu[i].runtime_status);
		file_close(&gpus->gpu[i].power_state);
	}
	gpus->count = 0;
	file_close(&gpus->class);
}

bool gpu_changed(const struct gpu_source *gpus, int root)
{
	char names[GPU_CARDS_MAX][FILE_NAME_SIZE];
	int cards = list_cards(root, names);

	if (cards != gpus->cards)
		return cards > 0 || gpus->cards > 0;
	for (int i = 0; i < cards; i++)
		if (!parse_matches(parse_word(names[i]), gpus->names[i]))
			return true;
	return false;
}

void gpu_seal(struct gpu_source *gpus)
{
	file_close(&gpus->class);
}
