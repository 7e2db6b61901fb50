/* SPDX-License-Identifier: MIT */
/* Opening and reading against trees of machines that this one is not. */
#include "test/unit/tree.h"

#include "collect/sources.h"

enum { PAGE = 4096 };

#define HWMON	"sys/class/hwmon/"
#define ZONE	"sys/class/thermal/"
#define CPU	"sys/devices/system/cpu/"
#define CPUFREQ CPU "cpufreq/"

struct machine {
	struct tree tree;
	struct sources sources;
	struct sample sample;
	unsigned samples;
	uint64_t elapsed_ns;	/* between samples; 0: half a second */
};

/* Time stands still but when a test moves it, so that no file is slow. */
static uint64_t now_ns = 1000000000;

static uint64_t clock_of_test(void)
{
	return now_ns;
}

static const struct sources_choice best;

static struct machine *start(const struct tree_file *files)
{
	struct machine *machine = calloc(1, sizeof *machine);

	assert_non_null(machine);
	tree_make(&machine->tree, files);
	memset(&machine->sources, 0xa5, sizeof machine->sources);
	sources_open(&machine->sources, machine->tree.root, PAGE, &best, clock_of_test);
	return machine;
}

static const struct sample *take(struct machine *machine)
{
	/* Whatever a source leaves out must not be looked at: make it visible if it is. */
	memset(&machine->sample, 0xa5, sizeof machine->sample);
	machine->sample.known = 0;
	machine->sample.throttled_count = machine->sample.gpu_count = machine->sample.battery_count = 0;
	if (machine->samples++) {
		machine->sample.known = KNOWS_RATES;
		machine->sample.elapsed_ns = machine->elapsed_ns ? machine->elapsed_ns : 500000000;
	}
	sources_read(&machine->sources, &machine->sample);
	return &machine->sample;
}

static void stop(struct machine *machine)
{
	tree_drop(&machine->tree);
	free(machine);
}

static void put(struct machine *machine, const char *path, const char *content)
{
	tree_put(&machine->tree, path, content);
}

static const struct tree_file intel_laptop[] = {
	{ HWMON "hwmon0/name", "acpitz\n" },
	{ HWMON "hwmon0/temp1_input", "27800\n" },
	{ HWMON "hwmon1/name", "BAT0\n" },
	{ HWMON "hwmon2/name", "nvme\n" },
	{ HWMON "hwmon2/temp1_input", "38850\n" },
	{ HWMON "hwmon2/temp1_label", "Composite\n" },
	{ HWMON "hwmon10/name", "coretemp\n" },
	{ HWMON "hwmon10/temp2_input", "71000\n" },
	{ HWMON "hwmon10/temp2_label", "Core 0\n" },
	{ HWMON "hwmon10/temp1_input", "73000\n" },
	{ HWMON "hwmon10/temp1_label", "Package id 0\n" },
	{ HWMON "hwmon10/temp1_max", "100000\n" },
	{ ZONE "thermal_zone0/type", "acpitz\n" },
	{ ZONE "thermal_zone0/temp", "25000\n" },
	{ ZONE "thermal_zone1/type", "x86_pkg_temp\n" },
	{ ZONE "thermal_zone1/temp", "72000\n" },
	{ ZONE "cooling_device0/type", "Processor\n" },
	{ CPUFREQ "policy0/scaling_cur_freq", "800000\n" },
	{ CPUFREQ "policy0/cpuinfo_max_freq", "4200000\n" },
	{ CPUFREQ "policy1/scaling_cur_freq", "3100000\n" },
	{ CPUFREQ "policy1/cpuinfo_max_freq", "4400000\n" },
	{ CPUFREQ "policy0/energy_performance_preference", "balance_power\n" },
	{ "sys/firmware/acpi/platform_profile", "balanced\n" },
	{ CPU "online", "0-1\n" },
	{ CPU "possible", "0-7\n" },
	{ CPU "cpu0/topology/physical_package_id", "0\n" },
	{ CPU "cpu0/thermal_throttle/package_throttle_count", "17\n" },
	{ CPU "cpu1/topology/physical_package_id", "0\n" },
	{ CPU "cpu1/thermal_throttle/package_throttle_count", "17\n" },
	{ "proc/meminfo", "MemTotal: 16000000 kB\nMemFree: 1 kB\nMemAvailable: 12000000 kB\n"
			  "Buffers: 1 kB\nCached: 1 kB\nSwapTotal: 8000 kB\nSwapFree: 6000 kB\n" },
	{ "proc/vmstat", "pswpin 100\npswpout 200\n" },
	{ "proc/pressure/cpu", "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n" },
	{ "proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
				  "full avg10=2.25 avg60=0.00 avg300=0.00 total=0\n" },
	{ "proc/pressure/io", "some avg10=33.00 avg60=0.00 avg300=0.00 total=0\n"
			      "full avg10=22.00 avg60=0.00 avg300=0.00 total=0\n" },
	{ NULL, NULL },
};

static void an_intel_laptop(void **state)
{
	struct machine *machine = start(intel_laptop);
	const struct sample *s = take(machine);

	(void)state;
	assert_int_equal(s->known, KNOWS_LOAD | KNOWS_MEMORY | KNOWS_TEMPERATURE | KNOWS_FREQUENCY |
					   KNOWS_FREQUENCY_MAX | KNOWS_PROFILE);
	assert_int_equal(s->cpus, 2);
	assert_int_equal(s->temperature_millicelsius, 73000);
	assert_int_equal(s->frequency_fastest_hz, 3100000000);
	assert_int_equal(s->frequency_mean_hz, 1950000000);
	assert_int_equal(s->frequency_max_hz, 4400000000);
	assert_string_equal(s->power_profile, "balanced");
	assert_int_equal(s->throttled_count, 0);
	assert_int_equal(s->memory_total_bytes, 16000000ull << 10);
	assert_int_equal(s->memory_used_bytes, 4000000ull << 10);
	assert_int_equal(s->swap_total_bytes, 8000 << 10);
	assert_int_equal(s->swap_used_bytes, 2000 << 10);
	assert_true(s->pressure[PRESSURE_CPU].known && !s->pressure[PRESSURE_CPU].full_known);
	assert_int_equal(s->pressure[PRESSURE_CPU].some_ppm, 15000);
	assert_int_equal(s->pressure[PRESSURE_MEMORY].full_ppm, 22500);
	assert_int_equal(s->pressure[PRESSURE_IO].some_ppm, 330000);
	assert_int_equal(machine->sources.power.packages, 1);

	put(machine, HWMON "hwmon10/temp1_input", "-4000\n");
	put(machine, CPUFREQ "policy1/scaling_cur_freq", "1000000\n");
	put(machine, "sys/firmware/acpi/platform_profile", "performance\n");
	put(machine, CPU "cpu0/thermal_throttle/package_throttle_count", "18\n");
	put(machine, CPU "online", "0-3\n");
	put(machine, "proc/vmstat", "pswpin 100\npswpout 328\n");
	s = take(machine);
	assert_int_equal(s->cpus, 4);
	assert_int_equal(s->temperature_millicelsius, -4000);
	assert_int_equal(s->frequency_fastest_hz, 1000000000);
	assert_string_equal(s->power_profile, "performance");
	assert_int_equal(s->throttled_count, 1);
	assert_string_equal(s->throttled[0], "cpu thermal");
	assert_true(s->known & KNOWS_SWAP_RATES);
	assert_int_equal(s->swap_in_bytes_per_second, 0);
	assert_int_equal(s->swap_out_bytes_per_second, 1048576);
	assert_true(machine->sources.memory.swapped_out);

	s = take(machine);
	assert_int_equal(s->throttled_count, 0);
	assert_int_equal(s->swap_out_bytes_per_second, 0);
	assert_false(machine->sources.memory.swapped_out);
	stop(machine);
}

/* What temperature a machine has whose tree is these files; INT32_MIN where none is known. */
static int32_t temperature(const struct tree_file *files)
{
	struct machine *machine = start(files);
	const struct sample *s = take(machine);
	int32_t result = s->known & KNOWS_TEMPERATURE ? s->temperature_millicelsius : INT32_MIN;

	stop(machine);
	return result;
}

static void amd_desktops(void **state)
{
	static const struct tree_file tdie[] = {
		{ HWMON "hwmon0/name", "nvme\n" },
		{ HWMON "hwmon0/temp1_input", "99000\n" },
		{ HWMON "hwmon0/temp1_label", "Tdie\n" },
		{ HWMON "hwmon1/name", "acpitz\n" },
		{ HWMON "hwmon1/temp1_input", "16800\n" },
		{ HWMON "hwmon7/name", "k10temp\n" },
		{ HWMON "hwmon7/temp1_input", "70000\n" },
		{ HWMON "hwmon7/temp1_label", "Tctl\n" },
		{ HWMON "hwmon7/temp2_input", "43000\n" },
		{ HWMON "hwmon7/temp2_label", "Tdie\n" },
		{ HWMON "hwmon7/temp3_input", "44000\n" },
		{ HWMON "hwmon7/temp3_label", "Tccd1\n" },
		{ HWMON "hwmon8/name", "amdgpu\n" },
		{ HWMON "hwmon8/temp1_input", "50000\n" },
		{ NULL, NULL },
	};
	static const struct tree_file tctl[] = {
		{ HWMON "hwmon3/name", "k10temp\n" },
		{ HWMON "hwmon3/temp3_input", "44000\n" },
		{ HWMON "hwmon3/temp3_label", "Tccd1\n" },
		{ HWMON "hwmon3/temp5_input", "70000\n" },
		{ HWMON "hwmon3/temp5_label", "Tctl\n" },
		{ NULL, NULL },
	};
	static const struct tree_file tccd[] = {
		{ HWMON "hwmon3/name", "zenpower\n" },
		{ HWMON "hwmon3/temp1_input", "1000\n" },
		{ HWMON "hwmon3/temp1_label", "SoC\n" },
		{ HWMON "hwmon3/temp10_input", "45000\n" },
		{ HWMON "hwmon3/temp10_label", "Tccd8\n" },
		{ HWMON "hwmon3/temp9_input", "44000\n" },
		{ HWMON "hwmon3/temp9_label", "Tccd7\n" },
		{ NULL, NULL },
	};
	static const struct tree_file unlabelled[] = {
		{ HWMON "hwmon0/name", "k10temp\n" },
		{ HWMON "hwmon0/temp10_input", "1000\n" },
		{ HWMON "hwmon0/temp2_input", "39000\n" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(temperature(tdie), 43000);
	assert_int_equal(temperature(tctl), 70000);
	assert_int_equal(temperature(tccd), 44000);
	assert_int_equal(temperature(unlabelled), 39000);
}

static void boards_and_zones(void **state)
{
	static const struct tree_file raspberry_pi[] = {
		{ HWMON "hwmon0/name", "cpu_thermal\n" },
		{ HWMON "hwmon0/temp1_input", "51540\n" },
		{ HWMON "hwmon1/name", "rpi_volt\n" },
		{ ZONE "thermal_zone0/type", "cpu-thermal\n" },
		{ ZONE "thermal_zone0/temp", "51000\n" },
		{ NULL, NULL },
	};
	static const struct tree_file rk3588[] = {
		{ HWMON "hwmon0/name", "gpu_thermal\n" },
		{ HWMON "hwmon0/temp1_input", "30000\n" },
		{ HWMON "hwmon1/name", "soc_thermal\n" },
		{ HWMON "hwmon1/temp1_input", "31000\n" },
		{ HWMON "hwmon2/name", "bigcore1_thermal\n" },
		{ HWMON "hwmon2/temp1_input", "32000\n" },
		{ HWMON "hwmon3/name", "bigcore0_thermal\n" },
		{ HWMON "hwmon3/temp1_input", "33000\n" },
		{ NULL, NULL },
	};
	static const struct tree_file zones[] = {
		{ ZONE "thermal_zone0/type", "acpitz\n" },
		{ ZONE "thermal_zone0/temp", "25000\n" },
		{ ZONE "thermal_zone1/type", "soc-thermal\n" },
		{ ZONE "thermal_zone1/temp", "40000\n" },
		{ ZONE "thermal_zone2/type", "iwlwifi_1\n" },
		{ ZONE "thermal_zone2/temp", "41000\n" },
		{ ZONE "thermal_zone10/type", "cpu-thermal\n" },
		{ ZONE "thermal_zone10/temp", "42000\n" },
		{ NULL, NULL },
	};
	/*
	 * A zone of the package is better than the firmware's hwmon device, that better than its
	 * zone.
	 */
	static const struct tree_file no_coretemp[] = {
		{ HWMON "hwmon0/name", "acpitz\n" },
		{ HWMON "hwmon0/temp1_input", "20000\n" },
		{ ZONE "thermal_zone3/type", "x86_pkg_temp\n" },
		{ ZONE "thermal_zone3/temp", "60000\n" },
		{ NULL, NULL },
	};
	static const struct tree_file acpi_only[] = {
		{ HWMON "hwmon0/name", "acpitz\n" },
		{ HWMON "hwmon0/temp1_input", "20000\n" },
		{ ZONE "thermal_zone0/type", "acpitz\n" },
		{ ZONE "thermal_zone0/temp", "21000\n" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(temperature(raspberry_pi), 51540);
	assert_int_equal(temperature(rk3588), 32000);
	assert_int_equal(temperature(zones), 42000);
	assert_int_equal(temperature(no_coretemp), 60000);
	assert_int_equal(temperature(acpi_only), 20000);
}

/* A sensor that cannot be the right one now is passed over for the next best. */
static void broken_sensors(void **state)
{
	static const struct tree_file next_input[] = {
		{ HWMON "hwmon0/name", "coretemp\n" },
		{ HWMON "hwmon0/temp1_input", "255000\n" },
		{ HWMON "hwmon0/temp1_label", "Package id 0\n" },
		{ HWMON "hwmon0/temp2_input", "48000\n" },
		{ HWMON "hwmon0/temp2_label", "Core 0\n" },
		{ NULL, NULL },
	};
	static const struct tree_file next_device[] = {
		{ HWMON "hwmon0/name", "coretemp\n" },
		{ HWMON "hwmon0/temp1_input", "-273150\n" },
		{ HWMON "hwmon1/name", "coretemp\n" },
		{ HWMON "hwmon1/temp1_input/", NULL },
		{ HWMON "hwmon2/name", "coretemp\n" },
		{ HWMON "hwmon3/name/", NULL },
		{ HWMON "hwmon4", "a file where a directory should be" },
		{ HWMON "hwmon5/name", "" },
		{ HWMON "hwmon6/name", "coretemp\n" },
		{ HWMON "hwmon6/temp1_input", "" },
		{ HWMON "hwmon7/name", "coretemp\n" },
		{ HWMON "hwmon7/temp1_input", "49 C\n" },
		{ HWMON "hwmon8/name", "acpitz\n" },
		{ HWMON "hwmon8/temp1_input", "30000\n" },
		{ NULL, NULL },
	};
	static const struct tree_file none[] = {
		{ HWMON "hwmon0/name", "nvme\n" },
		{ HWMON "hwmon0/temp1_input", "30000\n" },
		{ ZONE "thermal_zone0/type", "pch_skylake\n" },
		{ ZONE "thermal_zone0/temp", "30000\n" },
		{ ZONE "thermal_zone1/type", "acpitz\n" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(temperature(next_input), 48000);
	assert_int_equal(temperature(next_device), 30000);
	assert_int_equal(temperature(none), INT32_MIN);
}

static void nothing_at_all(void **state)
{
	struct machine *machine = start(NULL);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const struct sample *s = take(machine);

		assert_int_equal(s->known, KNOWS_LOAD | (i ? KNOWS_RATES : 0));
		assert_int_equal(s->cpus, 1);
		assert_int_equal(s->throttled_count, 0);
		for (unsigned k = 0; k < PRESSURE_KINDS; k++)
			assert_false(s->pressure[k].known);
	}
	stop(machine);
}

static void a_broken_tree(void **state)
{
	static const struct tree_file files[] = {
		{ "proc/meminfo/", NULL },
		{ "proc/vmstat", "" },
		{ "proc/spl/kstat/zfs/arcstats", "garbage" },
		{ "proc/pressure/cpu/", NULL },
		{ "proc/pressure/memory", "" },
		{ "proc/pressure/io", "some avg10=\xff\n" },
		{ "sys/class/hwmon", "a file" },
		{ "sys/class/thermal/thermal_zone0", "a file" },
		{ "sys/class/platform-profile/platform-profile-0", "a file" },
		{ "sys/firmware/acpi/platform_profile", "\x1b[2J\n" },
		{ CPUFREQ "policy0/scaling_cur_freq/", NULL },
		{ CPUFREQ "policy0/cpuinfo_max_freq", "-1\n" },
		{ CPUFREQ "policy1/scaling_cur_freq", "<unknown>\n" },
		{ CPUFREQ "policy1/cpuinfo_max_freq", "99999999999999999999\n" },
		{ CPUFREQ "policy2", "a file" },
		{ CPUFREQ "policy0/energy_performance_preference", "" },
		{ CPU "online", "3-1\n" },
		{ CPU "possible", "0-2\n" },
		{ CPU "cpu0/topology/physical_package_id", "zero\n" },
		{ CPU "cpu1/topology/physical_package_id", "0\n" },
		{ CPU "cpu1/thermal_throttle/package_throttle_count", "x\n" },
		{ CPU "cpu2", "a file" },
		{ NULL, NULL },
	};
	struct machine *machine = start(files);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const struct sample *s = take(machine);

		assert_int_equal(s->known, KNOWS_LOAD | (i ? KNOWS_RATES : 0));
		assert_int_equal(s->cpus, 3);
		assert_int_equal(s->throttled_count, 0);
		for (unsigned k = 0; k < PRESSURE_KINDS; k++)
			assert_false(s->pressure[k].known);
	}
	stop(machine);
}

/* What breaks while rstat runs costs its own field, and comes back if it can. */
static void sensors_that_come_and_go(void **state)
{
	struct machine *machine = start(intel_laptop);
	const struct sample *s = take(machine);

	(void)state;
	put(machine, HWMON "hwmon10/temp1_input", "200000\n");
	put(machine, CPUFREQ "policy1/scaling_cur_freq", "<unknown>\n");
	put(machine, "proc/meminfo", "MemTotal: 16000000 kB\n");
	put(machine, "proc/pressure/io", "");
	put(machine, CPU "online", "");
	put(machine, CPU "cpu0/thermal_throttle/package_throttle_count", "");
	put(machine, "sys/firmware/acpi/platform_profile", "");
	s = take(machine);
	assert_int_equal(s->known, KNOWS_RATES | KNOWS_LOAD | KNOWS_FREQUENCY |
					   KNOWS_FREQUENCY_MAX);
	assert_int_equal(s->frequency_mean_hz, 800000000);
	assert_int_equal(s->cpus, 2);
	assert_false(s->pressure[PRESSURE_IO].known);
	assert_true(s->pressure[PRESSURE_MEMORY].known);

	for (const struct tree_file *file = intel_laptop; file->path; file++)
		put(machine, file->path, file->content);
	put(machine, CPU "cpu0/thermal_throttle/package_throttle_count", "99\n");
	put(machine, "proc/vmstat", "pswpin 500\npswpout 500\n");
	s = take(machine);
	/* What is a difference starts anew: the interval with a hole in it has no rate. */
	assert_int_equal(s->known, KNOWS_RATES | KNOWS_LOAD | KNOWS_MEMORY | KNOWS_TEMPERATURE |
					   KNOWS_FREQUENCY | KNOWS_FREQUENCY_MAX | KNOWS_PROFILE);
	assert_int_equal(s->throttled_count, 0);
	assert_int_equal(s->temperature_millicelsius, 73000);
	s = take(machine);
	assert_true(s->known & KNOWS_SWAP_RATES);
	stop(machine);
}

static void swap_rates_need_swap(void **state)
{
	struct machine *machine = start(intel_laptop);
	const struct sample *s = take(machine);

	(void)state;
	put(machine, "proc/meminfo", "MemTotal: 9 kB\nMemAvailable: 1 kB\nSwapTotal: 0 kB\n"
				     "SwapFree: 0 kB\n");
	put(machine, "proc/vmstat", "pswpin 100\npswpout 300\n");
	s = take(machine);
	assert_true(s->known & KNOWS_MEMORY);
	assert_false(s->known & KNOWS_SWAP_RATES);
	assert_int_equal(s->swap_total_bytes, 0);
	assert_false(machine->sources.memory.swapped_out);

	/* swapon, then counters that run backwards */
	put(machine, "proc/meminfo", "MemTotal: 9 kB\nMemAvailable: 1 kB\nSwapTotal: 8 kB\n"
				     "SwapFree: 8 kB\n");
	assert_false(take(machine)->known & KNOWS_SWAP_RATES);
	assert_true(take(machine)->known & KNOWS_SWAP_RATES);
	put(machine, "proc/vmstat", "pswpin 99\npswpout 400\n");
	assert_false(take(machine)->known & KNOWS_SWAP_RATES);
	assert_false(machine->sources.memory.swapped_out);
	stop(machine);
}

static void frequencies(void **state)
{
	static const struct tree_file files[] = {
		{ CPUFREQ "policy0/scaling_cur_freq", "1000000\n" },
		{ CPUFREQ "policy0/cpuinfo_max_freq", "1100000\n" },
		{ CPUFREQ "policy4/scaling_cur_freq", "2000000\n" },
		{ CPUFREQ "policy4/cpuinfo_max_freq", "3300000\n" },
		{ CPUFREQ "policy6/scaling_cur_freq", "0\n" },
		{ CPUFREQ "policy6/cpuinfo_max_freq", "2200000\n" },
		{ CPUFREQ "policy7/cpuinfo_max_freq", "0\n" },
		{ CPUFREQ "ondemand/sampling_rate", "20000\n" },
		{ NULL, NULL },
	};
	struct machine *machine = start(files);
	const struct sample *s = take(machine);

	(void)state;
	assert_int_equal(s->frequency_fastest_hz, 2000000000);
	assert_int_equal(s->frequency_mean_hz, 1500000000);
	assert_int_equal(s->frequency_max_hz, 3300000000);
	put(machine, CPUFREQ "policy0/scaling_cur_freq", "-1\n");
	put(machine, CPUFREQ "policy4/scaling_cur_freq", "<unknown>\n");
	s = take(machine);
	assert_int_equal(s->known & (KNOWS_FREQUENCY | KNOWS_FREQUENCY_MAX), KNOWS_FREQUENCY_MAX);
	stop(machine);
}

static void cpus_online_are_seldom_read(void **state)
{
	struct machine *machine = start(intel_laptop);

	(void)state;
	assert_int_equal(take(machine)->cpus, 2);
	put(machine, CPU "online", "0-3\n");
	machine->elapsed_ns = 249999999;
	assert_int_equal(take(machine)->cpus, 2);
	assert_int_equal(take(machine)->cpus, 2);
	assert_int_equal(take(machine)->cpus, 4);
	put(machine, CPU "online", "0\n");
	assert_int_equal(take(machine)->cpus, 4);
	machine->elapsed_ns = UINT64_MAX;
	assert_int_equal(take(machine)->cpus, 1);
	stop(machine);
}

static void zfs_cache_is_available(void **state)
{
	static const struct tree_file files[] = {
		{ "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 200 kB\n" },
		{ "proc/spl/kstat/zfs/arcstats", "c_min 4 102400\nsize 4 409600\n" },
		{ NULL, NULL },
	};
	struct machine *machine = start(files);
	const struct sample *s = take(machine);

	(void)state;
	assert_int_equal(s->memory_available_bytes, 500 << 10);
	assert_int_equal(s->memory_used_bytes, 500 << 10);
	put(machine, "proc/spl/kstat/zfs/arcstats", "c_min 4 0\nsize 4 18446744073709551615\n");
	s = take(machine);
	assert_int_equal(s->memory_available_bytes, 1000 << 10);
	assert_int_equal(s->memory_used_bytes, 0);
	stop(machine);
}

static void power_profiles(void **state)
{
	static const struct tree_file class[] = {
		{ "sys/class/platform-profile/platform-profile-0/profile", "\n" },
		{ "sys/class/platform-profile/platform-profile-1/profile", "quiet\n" },
		{ CPUFREQ "policy0/energy_performance_preference", "balance_power\n" },
		{ NULL, NULL },
	};
	struct machine *machine = start(class);

	(void)state;
	assert_string_equal(take(machine)->power_profile, "quiet");
	stop(machine);
	machine = start(class + 2);
	assert_string_equal(take(machine)->power_profile, "balance_power");
	stop(machine);
}

static void each_package_throttles(void **state)
{
	struct machine *machine;
	struct tree tree;
	char path[128], id[16];

	(void)state;
	tree_make(&tree, NULL);
	for (unsigned cpu = 0; cpu < 24; cpu++) {
		snprintf(path, sizeof path, CPU "cpu%u/topology/physical_package_id", cpu);
		snprintf(id, sizeof id, "%u\n", cpu % 12);
		if (cpu)	/* cpu0 is offline */
			tree_put(&tree, path, id);
		snprintf(path, sizeof path, CPU "cpu%u/thermal_throttle/package_throttle_count",
			 cpu);
		tree_put(&tree, path, "5\n");
	}
	machine = calloc(1, sizeof *machine);
	assert_non_null(machine);
	machine->tree = tree;
	sources_open(&machine->sources, tree.root, PAGE, &best, clock_of_test);
	assert_int_equal(machine->sources.power.packages, POWER_PACKAGES_MAX);
	take(machine);
	put(machine, CPU "cpu2/thermal_throttle/package_throttle_count", "6\n");
	assert_int_equal(take(machine)->throttled_count, 1);
	put(machine, CPU "cpu13/thermal_throttle/package_throttle_count", "6\n");
	assert_int_equal(take(machine)->throttled_count, 0);
	put(machine, CPU "cpu2/thermal_throttle/package_throttle_count", "4\n");
	assert_int_equal(take(machine)->throttled_count, 0);
	stop(machine);
}

static void many_policies(void **state)
{
	struct machine *machine;
	struct tree tree;
	char path[128];

	(void)state;
	tree_make(&tree, NULL);
	for (unsigned i = 0; i < CPUFREQ_POLICIES_MAX + 20; i++) {
		snprintf(path, sizeof path, CPUFREQ "policy%u/scaling_cur_freq", i);
		tree_put(&tree, path, i < CPUFREQ_POLICIES_MAX ? "1000000\n" : "9000000\n");
	}
	machine = calloc(1, sizeof *machine);
	assert_non_null(machine);
	machine->tree = tree;
	sources_open(&machine->sources, tree.root, PAGE, &best, clock_of_test);
	assert_int_equal(machine->sources.cpufreq.policies, CPUFREQ_POLICIES_MAX);
	assert_int_equal(take(machine)->frequency_fastest_hz, 1000000000);
	assert_false(take(machine)->known & KNOWS_FREQUENCY_MAX);
	for (unsigned i = 0; i < machine->sources.cpufreq.policies; i++)
		close(machine->sources.cpufreq.current[i]);
	stop(machine);
}

/* While a slow sensor is not due, its last value stands; and it is not read. */
static void slow_sensors_keep_their_value(void **state)
{
	struct machine *machine = start(intel_laptop);
	struct sources *sources = &machine->sources;
	const struct sample *s = take(machine);

	(void)state;
	/* as if each had taken 10 ms; the first three accounts */
	for (unsigned i = 0; i < 3; i++) {
		assert_true(sources->budget.account[i].known);
		sources->budget.account[i].cost_ns = 10000000;
	}
	put(machine, HWMON "hwmon10/temp1_input", "50000\n");
	put(machine, CPUFREQ "policy1/scaling_cur_freq", "1\n");
	put(machine, "sys/firmware/acpi/platform_profile", "performance\n");
	s = take(machine);
	assert_int_equal(s->temperature_millicelsius, 73000);
	assert_int_equal(s->frequency_fastest_hz, 3100000000);
	assert_string_equal(s->power_profile, "balanced");
	assert_int_equal(s->temperature_age_ms, 0);	/* no time has passed */
	now_ns += 1000000000;
	s = take(machine);
	assert_int_equal(s->temperature_age_ms, 1000);
	assert_int_equal(s->frequency_age_ms, 1000);
	for (unsigned i = 0; i < 3; i++)
		sources->budget.account[i].cost_ns = 0;
	s = take(machine);
	assert_int_equal(s->temperature_millicelsius, 50000);
	assert_int_equal(s->frequency_fastest_hz, 800000000);
	assert_string_equal(s->power_profile, "performance");
	stop(machine);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* Choosing among candidates leaves nothing open but what is kept, and reading opens nothing. */
static void keeps_few_descriptors(void **state)
{
	unsigned before = open_descriptors(), kept;
	struct machine *machine = start(intel_laptop);

	(void)state;
	kept = open_descriptors() - before - 1;	/* the tree's root */
	/* online, meminfo, vmstat, 3 pressure, temperature, 2 policies, profile, throttle count, the root for scans */
	assert_int_equal(kept, 12);
	take(machine);
	take(machine);
	assert_int_equal(open_descriptors() - before - 1, kept);
	stop(machine);
}

static void this_machine(void **state)
{
	struct machine *machine = calloc(1, sizeof *machine);
	const struct sample *s;
	int root = open("/", O_RDONLY | O_DIRECTORY);
	long pages = sysconf(_SC_PHYS_PAGES);

	(void)state;
	assert_non_null(machine);
	sources_open(&machine->sources, root, (uint64_t)sysconf(_SC_PAGESIZE), &best, clock_of_test);
	close(root);
	s = take(machine);
	assert_true((s->known & (KNOWS_LOAD | KNOWS_MEMORY)) == (KNOWS_LOAD | KNOWS_MEMORY));
	/* where packages are built there may be no /sys */
	if (!access("/sys/devices/system/cpu/online", R_OK))
		assert_int_equal(s->cpus, sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(s->memory_total_bytes, (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_true(s->memory_used_bytes < s->memory_total_bytes);
	free(machine);
}

static void the_table_has_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SOURCES_COUNT; i++) {
		assert_non_null(sources_table[i].read);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(sources_table[i].name, sources_table[k].name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_intel_laptop),
		cmocka_unit_test(amd_desktops),
		cmocka_unit_test(boards_and_zones),
		cmocka_unit_test(broken_sensors),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(a_broken_tree),
		cmocka_unit_test(sensors_that_come_and_go),
		cmocka_unit_test(swap_rates_need_swap),
		cmocka_unit_test(frequencies),
		cmocka_unit_test(cpus_online_are_seldom_read),
		cmocka_unit_test(zfs_cache_is_available),
		cmocka_unit_test(power_profiles),
		cmocka_unit_test(each_package_throttles),
		cmocka_unit_test(many_policies),
		cmocka_unit_test(slow_sensors_keep_their_value),
		cmocka_unit_test(keeps_few_descriptors),
		cmocka_unit_test(this_machine),
		cmocka_unit_test(the_table_has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
