/* SPDX-License-Identifier: MIT */
/* What the kernel told us when the process began (the auxiliary vector). */
#ifndef RSTAT_LOADER_START_H
#define RSTAT_LOADER_START_H

#include <stdbool.h>
#include <stdint.h>

struct start_facts {
	uint64_t page_size;	/* bytes */
	bool secure;		/* AT_SECURE: set-uid, file capabilities: do not trust the caller */
	bool root;		/* started by user 0 */
	bool another;		/* set-uid, set-gid: user or group is not the caller's */
};

const struct start_facts *start_facts(void);

int main(int argc, char **argv, char **envp);

#endif
