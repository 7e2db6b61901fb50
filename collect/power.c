/* SPDX-License-Identifier: MIT */
#include "collect/power.h"

#include "collect/file.h"
#include "collect/parse.h"
#include "loader/memory.h"
#include "loader/sys.h"

enum {
	PROFILE_FILE_SIZE = 64,
	CLASS_MAX = 8,		/* devices of class platform-profile (6.14) */
	CPUS_MAX = 256,		/* looked through for their packages */
};

bool power_parse_profile(const void *bytes, size_t size, char name[PROFILE_SIZE])
{
	struct parse text = parse_trimmed(parse_over(bytes, size));
	size_t length = parse_left(&text);

	for (const char *at = text.at; at < text.end; at++)
		if (*at < ' ' || *at > '~')
			return false;
	if (!length)
		return false;
	if (length > PROFILE_SIZE - 1)
		length = PROFILE_SIZE - 1;
	memcpy(name, text.at, length);
	name[length] = '\0';
	return true;
}

static bool read_profile(int *fd, char name[PROFILE_SIZE])
{
	char bytes[PROFILE_FILE_SIZE];
	long size = file_read(fd, bytes, sizeof bytes);

	return size > 0 && power_parse_profile(bytes, (size_t)size, name);
}

/* The descriptor of a file that says a profile now, or -errno. */
static int open_profile(int directory, const char *path)
{
	int fd = file_open(directory, path);
	char name[PROFILE_SIZE];

	if (fd >= 0 && !read_profile(&fd, name))
		file_close(&fd);
	return fd;
}

static int open_class_profile(int root)
{
	char names[CLASS_MAX][FILE_NAME_SIZE];
	int class = file_open(root, "sys/class/platform-profile");
	int count = class < 0 ? 0 : file_list(class, ".", "*", names, CLASS_MAX);
	int fd = -SYS_ENOENT;

	for (int i = 0; i < count && fd < 0; i++) {
		int device = file_open(class, names[i]);

		fd = open_profile(device, "profile");
		file_close(&device);
	}
	file_close(&class);
	return fd;
}

/*
 * The throttle count of a package is the same in each of its CPUs' directories: keep the first
 * CPU's. A CPU without a topology is offline; one without a count means that this machine has none.
 */
static void open_packages(struct power_source *power, int root)
{
	char names[CPUS_MAX][FILE_NAME_SIZE];
	int64_t seen[POWER_PACKAGES_MAX], package;
	int cpus = file_open(root, "sys/devices/system/cpu");
	int count = cpus < 0 ? 0 : file_list(cpus, ".", "cpu#", names, CPUS_MAX);

	for (int i = 0; i < count && power->packages < POWER_PACKAGES_MAX; i++) {
		int cpu = file_open(cpus, names[i]), fd;
		unsigned known = 0;

		if (file_number_at(cpu, "topology/physical_package_id", &package)) {
			file_close(&cpu);
			continue;
		}
		while (known < power->packages && seen[known] != package)
			known++;
		fd = known < power->packages ?
			     -SYS_EEXIST :
			     file_open(cpu, "thermal_throttle/package_throttle_count");
		file_close(&cpu);
		if (fd >= 0) {
			seen[power->packages] = package;
			power->package[power->packages++] = (struct power_package){ .count = fd };
		} else if (fd != -SYS_EEXIST) {
			break;
		}
	}
	file_close(&cpus);
}

void power_open(struct power_source *power, int root)
{
	*power = (struct power_source){ 0 };
	power->profile = open_profile(root, "sys/firmware/acpi/platform_profile");
	if (power->profile < 0)
		power->profile = open_class_profile(root);
	if (power->profile < 0)
		power->profile = open_profile(root, "sys/devices/system/cpu/cpufreq/policy0/"
						    "energy_performance_preference");
	open_packages(power, root);
}

static bool has_throttled(struct power_package *package)
{
	int64_t before = package->before;
	bool had_before = package->has_before;

	package->has_before = !file_read_number(&package->count, &package->before);
	return had_before && package->has_before && package->before > before;
}

void power_read(struct power_source *power)
{
	power->known = read_profile(&power->profile, power->name);
	power->throttled = false;
	for (unsigned i = 0; i < power->packages; i++)
		power->throttled |= has_throttled(&power->package[i]);
}
