/* SPDX-License-Identifier: MIT */
/* Stands in for loader/start.c, whose entry and relocation a hosted program gets from the C library, and for cold.c. */
#include "loader/cold.h"
#include "loader/start.h"

void cold_drop(void)
{
}

const struct start_facts *start_facts(void)
{
	static const struct start_facts facts = { .page_size = 4096 };

	return &facts;
}
