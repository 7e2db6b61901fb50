/* SPDX-License-Identifier: MIT */
#include "collect/pressure.h"

#include "collect/file.h"
#include "collect/parse.h"

enum {
	PRESSURE_FILE_SIZE = 256,
	PERCENT_DECIMALS = 2,
	PERCENT_MAX = 10000,	/* in hundredths */
};

static const char *const paths[PRESSURE_KINDS] = {
	[PRESSURE_CPU] = "proc/pressure/cpu",
	[PRESSURE_MEMORY] = "proc/pressure/memory",
	[PRESSURE_IO] = "proc/pressure/io",
};

static bool find_ppm(const struct parse *text, const char *key, uint32_t *ppm)
{
	struct parse rest;
	uint64_t hundredths;

	if (!parse_find(text, key, &rest) || !parse_fixed(&rest, PERCENT_DECIMALS, &hundredths) ||
	    hundredths > PERCENT_MAX || !parse_literal(&rest, " "))
		return false;
	*ppm = (uint32_t)hundredths * (PPM / PERCENT_MAX);
	return true;
}

bool pressure_parse(const void *bytes, size_t size, struct pressure *pressure)
{
	struct parse text = parse_over(bytes, size);
	struct pressure found = { .known = true };

	if (!find_ppm(&text, "some avg10=", &found.some_ppm))
		return false;
	found.full_known = find_ppm(&text, "full avg10=", &found.full_ppm);
	*pressure = found;
	return true;
}

void pressure_open(struct pressure_source *source, int root)
{
	for (unsigned i = 0; i < PRESSURE_KINDS; i++)
		source->file[i] = file_open(root, paths[i]);
}

void pressure_read(struct pressure_source *source, struct sample *sample)
{
	char bytes[PRESSURE_FILE_SIZE];

	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		long size = file_read(&source->file[i], bytes, sizeof bytes);

		if (size <= 0 || !pressure_parse(bytes, (size_t)size, &sample->pressure[i]))
			sample->pressure[i].known = false;
	}
}
