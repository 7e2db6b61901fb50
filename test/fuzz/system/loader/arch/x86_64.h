/* SPDX-License-Identifier: MIT */
/* Stands before loader/arch/x86_64.h when fuzzing. */
#define sys_call real_sys_call
#include "../../../../../loader/arch/x86_64.h"
#undef sys_call

#include "../../call.h"
