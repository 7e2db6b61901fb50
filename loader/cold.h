/* SPDX-License-Identifier: MIT */
/*
 * What only the start needs: reading objects and types, relocations, options. The Makefile links that code first, and
 * loader/cold.c right behind it.
 */
#ifndef RSTAT_LOADER_COLD_H
#define RSTAT_LOADER_COLD_H

/*
 * Gives up the memory of that code and of the embedded probe; the kernel reads it again from the file should it be
 * wanted. From code behind it: a page that runs comes back at once, and its neighbours with it.
 */
void cold_drop(void);

#endif
