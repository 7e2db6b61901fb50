/* SPDX-License-Identifier: MIT */
#include "collect/sources.h"

#include "loader/sys.h"
#include "loader/text.h"

/* Places in the budget. */
enum {
	ACCOUNT_TEMPERATURE,
	ACCOUNT_FREQUENCY,
	ACCOUNT_POWER,
	ACCOUNT_GPUS,
	ACCOUNT_BATTERIES = ACCOUNT_GPUS + GPUS_MAX,
	ACCOUNTS = ACCOUNT_BATTERIES + BATTERIES_MAX,
	THROTTLED_STANDS_MS = 10000,	/* what happened between two readings is old by then */
};

_Static_assert((int)ACCOUNTS <= (int)BUDGET_ACCOUNTS_MAX, "accounts");

/* ---- what is read in every sample */

static void read_system(struct sources *sources, struct sample *sample)
{
	system_read(&sources->system, sample);
}

static void read_memory(struct sources *sources, struct sample *sample)
{
	memory_read(&sources->memory, sample);
}

static void read_pressure(struct sources *sources, struct sample *sample)
{
	pressure_read(&sources->pressure, sample);
}

/* ---- sensors: read when the budget says so, else as they were */

static void note(struct sources *sources, const char *a, const char *b, const char *c)
{
	struct text text = text_over(sources->notice, sizeof sources->notice - 1);

	if (sources->notice[0])
		return;		/* one at a time; the first is the one that explains */
	text_string(&text, a);
	text_string(&text, b);
	text_string(&text, c);
	sources->notice[text.used] = '\0';
}

static void end_reading(struct sources *sources, unsigned account, const char *name)
{
	if (budget_end(&sources->budget, account))
		note(sources, name, " took more than 50 ms to read", ": it is read a minute later, then less and less often");
}

static uint32_t age_of(const struct sources *sources, unsigned account)
{
	return budget_age_ms(&sources->budget, account, sources->began_ns);
}

static void read_thermal(struct sources *sources, struct sample *sample)
{
	struct thermal_source *thermal = &sources->thermal;

	if (thermal->input >= 0 && budget_begin(&sources->budget, ACCOUNT_TEMPERATURE)) {
		thermal_read(thermal);
		end_reading(sources, ACCOUNT_TEMPERATURE, "the temperature sensor");
	}
	if (!thermal->known || thermal->input < 0)
		return;
	sample->temperature_millicelsius = thermal->millicelsius;
	sample->temperature_age_ms = age_of(sources, ACCOUNT_TEMPERATURE);
	sample->known |= KNOWS_TEMPERATURE;
}

static void read_cpufreq(struct sources *sources, struct sample *sample)
{
	struct cpufreq_source *cpufreq = &sources->cpufreq;

	if (cpufreq->policies && budget_begin(&sources->budget, ACCOUNT_FREQUENCY)) {
		cpufreq_read(cpufreq, sources->budget.clock, sources->budget.sample_ns / 2);
		end_reading(sources, ACCOUNT_FREQUENCY, "the frequency of a CPU");
	}
	if (cpufreq->known) {
		sample->frequency_fastest_hz = cpufreq->fastest_hz;
		sample->frequency_mean_hz = cpufreq->mean_hz;
		sample->frequency_age_ms = age_of(sources, ACCOUNT_FREQUENCY);
		sample->known |= KNOWS_FREQUENCY;
	}
	if (cpufreq->max_hz) {
		sample->frequency_max_hz = cpufreq->max_hz;
		sample->known |= KNOWS_FREQUENCY_MAX;
	}
}

static void read_power(struct sources *sources, struct sample *sample)
{
	struct power_source *power = &sources->power;

	if ((power->profile >= 0 || power->packages) && budget_begin(&sources->budget, ACCOUNT_POWER)) {
		power_read(power);
		end_reading(sources, ACCOUNT_POWER, "the power profile");
	}
	if (power->known && power->profile >= 0) {
		for (unsigned i = 0; i < PROFILE_SIZE; i++)
			sample->power_profile[i] = power->name[i];
		sample->known |= KNOWS_PROFILE;
	}
	if (power->throttled && age_of(sources, ACCOUNT_POWER) < THROTTLED_STANDS_MS && sample->throttled_count < THROTTLED_MAX)
		sample->throttled[sample->throttled_count++] = "cpu thermal";
}

static void read_gpus(struct sources *sources, struct sample *sample)
{
	for (unsigned i = 0; i < sources->gpus.count; i++) {
		struct gpu *gpu = &sources->gpus.gpu[i];

		if (budget_begin(&sources->budget, ACCOUNT_GPUS + i)) {
			gpu_read(&sources->gpus, gpu, sources->budget.began_ns);
			end_reading(sources, ACCOUNT_GPUS + i, gpu->shown.name);
		}
		if (!gpu_present(gpu))
			continue;
		sample->gpu[sample->gpu_count] = gpu->shown;
		sample->gpu[sample->gpu_count++].age_ms = age_of(sources, ACCOUNT_GPUS + i);
	}
}

static void read_batteries(struct sources *sources, struct sample *sample)
{
	for (unsigned i = 0; i < sources->batteries.count; i++) {
		struct battery *battery = &sources->batteries.battery[i];

		if (budget_begin(&sources->budget, ACCOUNT_BATTERIES + i)) {
			battery_read(battery);
			end_reading(sources, ACCOUNT_BATTERIES + i, battery->shown.name);
		}
		if (battery->gone || (!battery->shown.known && !battery->shown.status[0]))
			continue;
		sample->battery[sample->battery_count] = battery->shown;
		sample->battery[sample->battery_count++].age_ms = age_of(sources, ACCOUNT_BATTERIES + i);
	}
}

const struct sources_row sources_table[SOURCES_COUNT] = {
	{ "system", read_system },
	{ "memory", read_memory },
	{ "pressure", read_pressure },
	[SOURCES_SENSORS] = { "temperature", read_thermal },
	{ "frequency", read_cpufreq },
	{ "power", read_power },
	{ "gpu", read_gpus },
	{ "battery", read_batteries },
};

/* ---- opening, and looking again */

static bool is_none(const char *choice)
{
	return choice && choice[0] == 'n' && choice[1] == 'o' && choice[2] == 'n' && choice[3] == 'e' && !choice[4];
}

static void miss(struct sources *sources, const char *option, const char *choice)
{
	note(sources, option, choice, " is not on this machine; rstat --check lists what is");
}

static void open_gpus(struct sources *sources)
{
	gpu_open(&sources->gpus, sources->root, sources->choice.gpu);
	for (unsigned i = 0; i < GPUS_MAX; i++)
		budget_renew(&sources->budget, ACCOUNT_GPUS + i);
}

static void open_batteries(struct sources *sources)
{
	battery_open(&sources->batteries, sources->root, sources->choice.battery);
	for (unsigned i = 0; i < BATTERIES_MAX; i++)
		budget_renew(&sources->budget, ACCOUNT_BATTERIES + i);
}

static void open_thermal(struct sources *sources)
{
	thermal_open(&sources->thermal, sources->root, sources->choice.temperature);
	budget_renew(&sources->budget, ACCOUNT_TEMPERATURE);
}

static void count_sharers(struct sources *sources)
{
	unsigned sharers = (sources->thermal.input >= 0) + (sources->cpufreq.policies > 0) +
			   (sources->power.profile >= 0 || sources->power.packages) + sources->gpus.count +
			   sources->batteries.count;

	sources->budget.sharers = sharers ? sharers : 1;
}

void sources_open(struct sources *sources, int root, uint64_t page_size, const struct sources_choice *choice,
		  uint64_t (*clock)(void))
{
	sources->choice = *choice;
	sources->root = root < 0 ? root : sys_open_at(root, ".", SYS_O_PATH);
	sources->notice[0] = '\0';
	sources->memory.page_size = page_size;
	budget_open(&sources->budget, choice->budget_ns ? choice->budget_ns : BUDGET_DEFAULT_NS, clock);
	system_open(&sources->system, root);
	memory_open(&sources->memory, root);
	pressure_open(&sources->pressure, root);
	open_thermal(sources);
	cpufreq_open(&sources->cpufreq, root);
	power_open(&sources->power, root);
	open_gpus(sources);
	open_batteries(sources);
	count_sharers(sources);
	sources->scanned_ns = clock();
	if (choice->temperature && sources->thermal.input < 0)
		miss(sources, "--temperature ", choice->temperature);
	if (choice->gpu && !is_none(choice->gpu) && !sources->gpus.count)
		miss(sources, "--gpu ", choice->gpu);
	if (choice->battery && !is_none(choice->battery) && !sources->batteries.count)
		miss(sources, "--battery ", choice->battery);
}

/*
 * What came or went since the last look. What was lost is looked for anew, since its number may have changed, or another
 * device may have its name: some drivers say for a moment that there is none.
 */
static void scan(struct sources *sources)
{
	bool lost_gpu = false, lost_battery = false;

	for (unsigned i = 0; i < sources->gpus.count; i++)
		lost_gpu |= !gpu_present(&sources->gpus.gpu[i]);
	for (unsigned i = 0; i < sources->batteries.count; i++)
		lost_battery |= battery_lost(&sources->batteries.battery[i]);
	if (sources->thermal.input < 0)
		open_thermal(sources);
	if (lost_gpu || gpu_changed(&sources->gpus, sources->root)) {
		gpu_close(&sources->gpus);
		open_gpus(sources);
	}
	if (lost_battery || battery_changed(&sources->batteries, sources->root)) {
		battery_close(&sources->batteries);
		open_batteries(sources);
	}
	count_sharers(sources);
}

void sources_begin(struct sources *sources)
{
	sources->began_ns = sources->budget.clock();
	budget_sample(&sources->budget, sources->began_ns);
	if (sources->root < 0 || sources->began_ns - sources->scanned_ns < SOURCES_SCAN_NS)
		return;
	scan(sources);
	sources->scanned_ns = sources->began_ns;
}

void sources_seal(struct sources *sources)
{
	file_close(&sources->root);
	gpu_seal(&sources->gpus);
}

const char *sources_notice(struct sources *sources)
{
	static char line[SOURCES_NOTICE_SIZE];

	if (!sources->notice[0])
		return NULL;
	for (unsigned i = 0; i < sizeof line; i++)
		line[i] = sources->notice[i];
	sources->notice[0] = '\0';
	return line;
}

void sources_read(struct sources *sources, struct sample *sample)
{
	sources_begin(sources);
	for (unsigned i = 0; i < SOURCES_COUNT; i++)
		sources_table[i].read(sources, sample);
}
