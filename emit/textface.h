/* SPDX-License-Identifier: MIT */
/* The --text template, a line per sample: for bars that show what a program prints. */
#ifndef RSTAT_EMIT_TEXTFACE_H
#define RSTAT_EMIT_TEXTFACE_H

#include "emit/face.h"

extern const struct face text_face;

#endif
