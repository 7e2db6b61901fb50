/* SPDX-License-Identifier: MIT */
/* Stands before loader/arch/aarch64.h when fuzzing. */
#define sys_call real_sys_call
#include "../../../../../loader/arch/aarch64.h"
#undef sys_call

#include "../../call.h"
