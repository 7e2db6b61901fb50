/* SPDX-License-Identifier: MIT */
/* System calls go to fuzz_system where a target has set it, see ../fake.h. */
#ifndef RSTAT_FUZZ_SYS_CALL
#define RSTAT_FUZZ_SYS_CALL
typedef long (*fuzz_system_call)(long number, long a, long b, long c, long d, long e, long f);
extern fuzz_system_call fuzz_system;

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	return fuzz_system ? fuzz_system(number, a, b, c, d, e, f) : real_sys_call(number, a, b, c, d, e, f);
}
#endif
