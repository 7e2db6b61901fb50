/* SPDX-License-Identifier: MIT */
/*
 * The parsers of the collectors: what they take, what they refuse, and every truncation of what
 * they take.
 */
#include "test/unit/tree.h"

#include "collect/cpufreq.h"
#include "collect/memory.h"
#include "collect/power.h"
#include "collect/pressure.h"
#include "collect/system.h"
#include "collect/thermal.h"

static const char meminfo[] = "MemTotal:       16306968 kB\n"
			      "MemFree:         1048576 kB\n"
			      "MemAvailable:    8153484 kB\n"
			      "Buffers:          524288 kB\n"
			      "Cached:          2097152 kB\n"
			      "SwapCached:            0 kB\n"
			      "SwapTotal:       8388604 kB\n"
			      "SwapFree:        8388600 kB\n"
			      "HugePages_Total:       0\n";

static void meminfo_rows(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		struct memory_info info;
	} rows[] = {
		{ meminfo, true,
		  { 16306968ull << 10, 8153484ull << 10, 8388604ull << 10, 8388600ull << 10 } },
		{ "MemTotal: 100 kB\nMemAvailable: 40 kB\n", true, { 102400, 40960, 0, 0 } },
		/* 2.6: no MemAvailable */
		{ "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n",
		  true,
		  { 102400, 35840, 0, 0 } },
		/* SwapCached and Cached are told apart */
		{ "MemTotal: 9 kB\nMemFree: 1 kB\nBuffers: 1 kB\nSwapCached: 7 kB\n",
		  false,
		  { 0 } },
		/* more than there is */
		{ "MemTotal: 10 kB\nMemAvailable: 40 kB\nSwapTotal: 1 kB\nSwapFree: 2 kB\n",
		  true,
		  { 10240, 10240, 1024, 1024 } },
		{ "MemTotal: 10 kB\nMemAvailable: 4 kB\nSwapTotal: 1 kB\n",
		  true,
		  { 10240, 4096, 0, 0 } },
		{ "MemTotal: 10 kB\nMemAvailable: 4 kB\nSwapTotal: x kB\nSwapFree: 1 kB\n",
		  true,
		  { 10240, 4096, 0, 0 } },
		{ "MemTotal: 18014398509481983 kB\nMemAvailable: 0 kB\n",
		  true,
		  { 18446744073709550592u, 0, 0, 0 } },
		{ "MemTotal: 18014398509481984 kB\nMemAvailable: 0 kB\n", false, { 0 } },
		{ "MemTotal: 18446744073709551616 kB\nMemAvailable: 0 kB\n", false, { 0 } },
		{ "MemTotal: 10 kB\nMemFree: 18014398509481983 kB\nBuffers: 9 kB\nCached: 1 kB\n",
		  false,
		  { 0 } },
		{ "MemTotal: 0 kB\nMemAvailable: 0 kB\n", false, { 0 } },
		{ "MemTotal: -5 kB\nMemAvailable: 1 kB\n", false, { 0 } },
		{ "MemTotal: 5 MB\nMemAvailable: 1 kB\n", false, { 0 } },
		{ "MemTotal: 5 kB x\nMemAvailable: 1 kB\n", false, { 0 } },
		{ "MemTotal: 5\nMemAvailable: 1\n", false, { 0 } },
		{ "MemTotal: 5 kB\n", false, { 0 } },
		{ "MemAvailable: 5 kB\n", false, { 0 } },
		{ "MemTotal: 5 kB\nMemAvailable: 1 kB", false, { 0 } },
		{ "MemTotal:\nMemAvailable:\n", false, { 0 } },
		{ "garbage\xff\xfe", false, { 0 } },
		{ "", false, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size = strlen(rows[i].text);
		char *copy = exact(rows[i].text, size);
		struct memory_info info = { 0 };

		print_message("meminfo row %zu\n", i);
		assert_int_equal(memory_parse_meminfo(copy, size, &info), rows[i].ok);
		assert_memory_equal(&info, &rows[i].info, sizeof info);
		free(copy);
	}
}

/* A cut file never gives a wrong number: each is right, or not there. */
static void meminfo_cut(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof meminfo; size++) {
		char *copy = exact(meminfo, size);
		struct memory_info info;

		if (memory_parse_meminfo(copy, size, &info)) {
			assert_int_equal(info.total_bytes, 16306968ull << 10);
			assert_int_equal(info.available_bytes, 8153484ull << 10);
			assert_true(!info.swap_total_bytes ||
				    (info.swap_total_bytes == 8388604ull << 10 &&
				     info.swap_free_bytes == 8388600ull << 10));
		} else {
			assert_true(size < 3 * 28);
		}
		free(copy);
	}
}

static void vmstat(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		struct memory_swapped swapped;
	} rows[] = {
		{ "pgpgin 9\npswpin 12\npswpout 345\npgfault 1\n", true, { 12, 345 } },
		{ "pswpin 0\npswpout 18446744073709551615\n", true, { 0, UINT64_MAX } },
		{ "pswpin 1\npswpout 18446744073709551616\n", false, { 0 } },
		{ "pswpin 1\n", false, { 0 } },
		{ "pswpout 1\n", false, { 0 } },
		{ "pswpin 1\npswpout 12", false, { 0 } },
		{ "pswpin 1\npswpout -2\n", false, { 0 } },
		{ "pswpin 1\npswpout 2x\n", false, { 0 } },
		{ "pswpin 1\npswpout \n", false, { 0 } },
		{ "xpswpin 1\npswpout 2\n", false, { 0 } },
		{ "", false, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t size = 0; size <= strlen(rows[i].text); size++) {
			char *copy = exact(rows[i].text, size);
			struct memory_swapped swapped = { 0 };
			bool ok = memory_parse_vmstat(copy, size, &swapped);

			if (size == strlen(rows[i].text))
				assert_int_equal(ok, rows[i].ok);
			if (ok || size == strlen(rows[i].text))
				assert_memory_equal(&swapped, &rows[i].swapped, sizeof swapped);
			free(copy);
		}
	}
}

static void arcstats(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t reclaimable;
	} rows[] = {
		{ "13 1 0x01 147 39984 4283906437 8888\n"
		  "name                            type data\n"
		  "hits                            4    12\n"
		  "c_min                           4    1000\n"
		  "c_max                           4    9000\n"
		  "size                            4    4500\n"
		  "compressed_size                 4    99999\n",
		  true, 3500 },
		{ "size 4 10\nc_min 4 20\n", true, 0 },
		{ "size 4 18446744073709551615\nc_min 4 0\n", true, UINT64_MAX },
		{ "size 4 18446744073709551616\nc_min 4 0\n", false, 0 },
		{ "size 7 10\nc_min 4 20\n", false, 0 },
		{ "size 4 -10\nc_min 4 20\n", false, 0 },
		{ "size 4\nc_min 4 20\n", false, 0 },
		{ "size 4 1\n", false, 0 },
		{ "c_min 4 20\nsize 4 1", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t size = 0; size <= strlen(rows[i].text); size++) {
			char *copy = exact(rows[i].text, size);
			uint64_t reclaimable = 0;
			bool ok = memory_parse_arcstats(copy, size, &reclaimable);

			if (size == strlen(rows[i].text))
				assert_int_equal(ok, rows[i].ok);
			if (ok || size == strlen(rows[i].text))
				assert_int_equal(reclaimable, rows[i].reclaimable);
			free(copy);
		}
	}
}

static void rates(void **state)
{
	(void)state;
	assert_int_equal(memory_rate(256, 4096, 1000000000), 1048576);
	assert_int_equal(memory_rate(256, 4096, 500000000), 2097152);
	assert_int_equal(memory_rate(1, 65536, 60000000000), 1092);
	assert_int_equal(memory_rate(0, 4096, 1000000000), 0);
	assert_int_equal(memory_rate(5, 4096, 0), 0);
	assert_int_equal(memory_rate(5, 4096, 999), 0);
	/* 64 TB in a day: the product with a million does not fit 64 bits */
	assert_int_equal(memory_rate(1ull << 34, 4096, 86400000000000), 814000000);
	assert_int_equal(memory_rate(1ull << 52, 4096, 1000000000), UINT64_MAX);
	assert_int_equal(memory_rate(1ull << 51, 4096, 1000), UINT64_MAX);
}

static void pressure(void **state)
{
	static const struct {
		const char *text;
		struct pressure pressure;
	} rows[] = {
		{ "some avg10=12.34 avg60=0.80 avg300=0.11 total=9340607\n"
		  "full avg10=0.56 avg60=0.00 avg300=0.00 total=0\n",
		  { true, true, 123400, 5600 } },
		{ "some avg10=0.07 avg60=0.00 avg300=0.00 total=1\n", { true, false, 700, 0 } },
		{ "some avg10=100.00 avg60=0.00 avg300=0.00 total=1\n",
		  { true, false, 1000000, 0 } },
		{ "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=x\n",
		  { true, false, 10000, 0 } },
		{ "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.1", /* cut */
		  { true, false, 10000, 0 } },
		{ "some avg10=100.01 avg60=0.00\n", { 0 } },
		{ "some avg10=42949673.00 avg60=0.00\n", { 0 } },
		{ "some avg10=99999999999999999999.00 avg60=0.00\n", { 0 } },
		{ "some avg10=-1.00 avg60=0.00\n", { 0 } },
		{ "some avg10=. avg60=0.00\n", { 0 } },
		{ "some avg10= avg60=0.00\n", { 0 } },
		{ "some avg10=1.00\n", { 0 } },
		{ "some avg60=1.00 avg10=2.00\n", { 0 } },
		{ "some avg10=1.00 avg60=0.00", { 0 } },
		{ "full avg10=1.00 avg60=0.00\n", { 0 } },
		{ "garbage\n", { 0 } },
		{ "", { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t full = strlen(rows[i].text);

		print_message("pressure row %zu\n", i);
		for (size_t size = 0; size <= full; size++) {
			char *copy = exact(rows[i].text, size);
			struct pressure got = { 0 };
			bool ok = pressure_parse(copy, size, &got);

			assert_int_equal(ok, got.known);
			if (size == full) {
				assert_int_equal(got.known, rows[i].pressure.known);
				assert_int_equal(got.full_known, rows[i].pressure.full_known);
			}
			if (got.known)
				assert_int_equal(got.some_ppm, rows[i].pressure.some_ppm);
			if (got.full_known)
				assert_int_equal(got.full_ppm, rows[i].pressure.full_ppm);
			free(copy);
		}
	}
}

static void cpu_lists(void **state)
{
	static const struct {
		const char *text;
		uint32_t cpus;
	} rows[] = {
		{ "0\n", 1 },
		{ "0-3\n", 4 },
		{ "0-3,5\n", 5 },
		{ "0,2,4-7,65535\n", 7 },
		{ "5", 1 },
		{ "0-65535\n", 65536 },
		{ "0-65536\n", 0 },
		{ "0-18446744073709551615\n", 0 },
		{ "18446744073709551616\n", 0 },
		{ "3-0\n", 0 },
		{ "0-3,2\n", 0 },
		{ "0,0\n", 0 },
		{ "1,0\n", 0 },
		{ "0-\n", 0 },
		{ "-3\n", 0 },
		{ "0,\n", 0 },
		{ ",0\n", 0 },
		{ "0 1\n", 0 },
		{ "0-3x\n", 0 },
		{ "\n", 0 },
		{ "", 0 },
		{ "garbage", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t size = 0; size <= strlen(rows[i].text); size++) {
			char *copy = exact(rows[i].text, size);
			uint32_t cpus = system_parse_cpus(copy, size);

			if (size == strlen(rows[i].text))
				assert_int_equal(cpus, rows[i].cpus);
			free(copy);
		}
	}
}

static void loads(void **state)
{
	(void)state;
	assert_int_equal(system_load_milli(0), 0);
	assert_int_equal(system_load_milli(65536), 1000);
	assert_int_equal(system_load_milli(65536 + 32768), 1500);
	assert_int_equal(system_load_milli(32), 0);
	assert_int_equal(system_load_milli(33), 1);
	assert_int_equal(system_load_milli(65535), 1000);
	assert_int_equal(system_load_milli(4000000ull << 16), 4000000000u);
	assert_int_equal(system_load_milli(4294968ull << 16), UINT32_MAX);
	assert_int_equal(system_load_milli(UINT64_MAX), UINT32_MAX);
}

static void profiles(void **state)
{
	static const struct {
		const char *text;
		const char *name;	/* NULL: refused */
	} rows[] = {
		{ "balanced\n", "balanced" },
		{ "balance_performance\n", "balance_performance" },
		{ "low-power", "low-power" },
		{ " a b \n", "a b" },
		{ "128\n", "128" },
		{ "~ !\n", "~ !" },
		{ "a-name-of-23-characters\n", "a-name-of-23-characters" },
		{ "a-name-of-24-characters.\n", "a-name-of-24-characters" },
		{ "bal\x1b[31manced\n", NULL },
		{ "bal\x7f\n", NULL },
		{ "\xc3\xa9\x63o\n", NULL },
		{ "one\ntwo\n", NULL },
		{ "a\tb\n", NULL },
		{ " \n", NULL },
		{ "", NULL },
	};
	char name[PROFILE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size = strlen(rows[i].text);
		char *copy = exact(rows[i].text, size);

		strcpy(name, "untouched");
		assert_int_equal(power_parse_profile(copy, size, name), rows[i].name != NULL);
		assert_string_equal(name, rows[i].name ? rows[i].name : "untouched");
		free(copy);
	}
	assert_false(power_parse_profile("a\0b", 3, name));
}

static void plausible(void **state)
{
	(void)state;
	assert_true(thermal_plausible(-20000));
	assert_true(thermal_plausible(0));
	assert_true(thermal_plausible(150000));
	assert_false(thermal_plausible(-20001));
	assert_false(thermal_plausible(150001));
	assert_false(thermal_plausible(INT64_MIN));
	assert_false(thermal_plausible(INT64_MAX));
	assert_int_equal(cpufreq_hz(1), 1000);
	assert_int_equal(cpufreq_hz(100000000), 100000000000);
	assert_int_equal(cpufreq_hz(100000001), 0);
	assert_int_equal(cpufreq_hz(0), 0);
	assert_int_equal(cpufreq_hz(-1), 0);
	assert_int_equal(cpufreq_hz(INT64_MAX), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(meminfo_rows), cmocka_unit_test(meminfo_cut),
		cmocka_unit_test(vmstat),	cmocka_unit_test(arcstats),
		cmocka_unit_test(rates),	cmocka_unit_test(pressure),
		cmocka_unit_test(cpu_lists),	cmocka_unit_test(loads),
		cmocka_unit_test(profiles),	cmocka_unit_test(plausible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
