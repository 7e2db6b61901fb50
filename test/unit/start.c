/* SPDX-License-Identifier: MIT */
/* Stands in for loader/start.c, whose entry and relocation a hosted program gets from the C library. */
#include "loader/start.h"

const struct start_facts *start_facts(void)
{
	static const struct start_facts facts = { .page_size = 4096 };

	return &facts;
}
