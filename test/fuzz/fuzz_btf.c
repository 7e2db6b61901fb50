/* SPDX-License-Identifier: MIT */
/* BTF: what btf_open() takes can be walked along every reference, also to types that do not exist and in circles. */
#include "test/fuzz/fuzz.h"

#include "loader/attach.h"

static void check_string(const struct btf *btf, const char *string)
{
	const char *first = (const char *)btf->strings.data;

	MUST(!*string || (string >= first && string + strlen(string) < first + btf->strings.size));
}

static void walk(const struct btf *btf, uint32_t id)
{
	struct btf_type type = btf_type(btf, id);
	uint32_t element, count;
	int64_t value;

	check_string(btf, type.name);
	MUST(type.kind < BTF_KINDS && btf_size(btf, id) >= -1);
	MUST(btf_strip(btf, id) != id || type.kind != BTF_TYPEDEF);
	switch (type.kind) {
	case BTF_STRUCT:
	case BTF_UNION:
		for (uint32_t i = 0; i < type.count; i++) {
			struct btf_member member = btf_member(btf, &type, i);

			check_string(btf, member.name);
			MUST(member.bit_size <= 255);
			btf_size(btf, member.type);
		}
		break;
	case BTF_ENUM:
	case BTF_ENUM64:
		for (uint32_t i = 0; i < type.count; i++)
			check_string(btf, btf_enumerator(btf, &type, i, &value));
		break;
	case BTF_ARRAY:
		btf_array(btf, &type, &element, &count);
		btf_size(btf, element);
		break;
	case BTF_FUNC_PROTO:
		for (uint32_t i = 0; i < type.count; i++)
			btf_type(btf, btf_parameter(btf, &type, i));
		break;
	default: break;
	}
	if (*type.name && strlen(type.name) < 64) {
		uint32_t first = btf_find(btf, type.kind, type.name);

		MUST(first && first <= id);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { exact_copy(data, size), size };	/* aligned, as it must be */
	uint32_t *index = malloc(btf_index_entries(bytes) * sizeof *index);
	struct failure f = { 0 }, none = { 0 };
	struct btf btf;
	int error = btf_open(&btf, bytes, index, "the input", &f);

	if (error) {
		MUST(error == f.error);
		check_failure(&f);
	} else {
		MUST(btf.count < btf_index_entries(bytes));
		for (uint32_t id = 0; id <= btf.count + 1; id++)
			walk(&btf, id);
		MUST(btf_type(&btf, UINT32_MAX).kind == BTF_VOID);
		error = attach_prev_argument(&btf, &none);
		MUST(error == 1 || error == 2 || error == none.error);
	}
	free(index);
	free((void *)(uintptr_t)bytes.data);
	return 0;
}
