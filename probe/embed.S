/* SPDX-License-Identifier: MIT */
/* The trimmed and packed probe object as bytes: probe_object .. probe_object_end, read-only. */
	.section .rodata.probe_object, "a", %progbits
	.balign 8
	.global probe_object
	.hidden probe_object
	.type probe_object, %object
probe_object:
	.incbin "rstat.bpf.packed"
	.size probe_object, . - probe_object
	.global probe_object_end
	.hidden probe_object_end
probe_object_end:
	.section .note.GNU-stack, "", %progbits
