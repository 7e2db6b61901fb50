/* SPDX-License-Identifier: MIT */
#include "collect/ended.h"

#include "loader/memory.h"

/* The name with zeroes behind its NUL, so that equal names are equal bytes. */
static void clean_name(char to[TASK_NAME_SIZE], const char *from)
{
	unsigned i = 0;

	for (; i < TASK_NAME_SIZE - 1 && from[i]; i++)
		to[i] = from[i];
	for (; i < TASK_NAME_SIZE; i++)
		to[i] = 0;
}

static uint32_t bucket_of(const char name[TASK_NAME_SIZE])
{
	uint64_t word[2];

	memcpy(word, name, sizeof word);
	return (uint32_t)((word[0] * 0x9e3779b97f4a7c15 ^ word[1] * 0xc2b2ae3d27d4eb4f) >> 40) %
	       ENDED_BUCKETS;
}

void ended_clear(struct ended *ended)
{
	if (!ended->groups)
		return;
	memset(ended->bucket, 0, sizeof ended->bucket);
	memset(ended->group, 0, sizeof ended->group[0] * ended->groups);
	ended->groups = 0;
}

/* The buckets are twice as many as the groups, so that the search ends at an empty one. */
static struct ended_group *group_of(struct ended *ended, const char name[TASK_NAME_SIZE])
{
	uint32_t bucket = bucket_of(name);

	for (; ended->bucket[bucket]; bucket = (bucket + 1) % ENDED_BUCKETS) {
		struct ended_group *group = &ended->group[ended->bucket[bucket] - 1];

		if (!memcmp(group->name, name, TASK_NAME_SIZE))
			return group;
	}
	if (ended->groups >= ENDED_GROUPS) {
		struct ended_group *rest = &ended->group[ENDED_GROUPS];

		memcpy(rest->name, "(others)", 9);
		ended->groups = ENDED_GROUPS + 1;
		return rest;
	}
	ended->bucket[bucket] = (uint16_t)++ended->groups;
	memcpy(ended->group[ended->groups - 1].name, name, TASK_NAME_SIZE);
	return &ended->group[ended->groups - 1];
}

void ended_add(struct ended *ended, const char *name, bool kernel, uint32_t processes, const struct use *used)
{
	char clean[TASK_NAME_SIZE];
	struct ended_group *group;

	clean_name(clean, name);
	group = group_of(ended, clean);
	group->user |= !kernel;
	group->processes += processes;
	use_add(&group->used, used);
}
