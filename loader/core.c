/* SPDX-License-Identifier: MIT */
/*
 * In outline, for each relocation:
 *
 * 1. The path "0:1:2" is read against our BTF: an index into the root as an array, then a member's or an
 *    element's number each. Members become steps by name (anonymous ones vanish), elements steps by number.
 * 2. The candidates are the kernel's types of the root's name, less any ___flavor.
 * 3. The steps are walked through each candidate; named ones also through anonymous members. A step that finds
 *    nothing, or ends in another kind of type, means that the candidate does not have the field.
 * 4. All candidates that have it must agree.
 * 5. The instruction is checked to hold what the compiler assumed, and then gets what was found.
 */
#include "loader/core.h"

#include "loader/sys.h"

enum {
	STEPS_MAX = 16,
	DEPTH_MAX = 8,
	INT_SIGNED = 1,
	POISON = 0xbad0000,
	KINDS_OF_ROOTS = 1 << BTF_STRUCT | 1 << BTF_UNION | 1 << BTF_ENUM | 1 << BTF_ENUM64,
};

struct step {
	const char *name;	/* NULL: an element */
	uint32_t index;
};

struct path {
	uint32_t root, count;
	uint32_t root_index;	/* the root as an array: 0 but for pointer arithmetic */
	struct step step[STEPS_MAX];
	uint32_t bit_offset;	/* in ours, from the root */
	uint32_t type;		/* at the end, in ours */
};

/* ---- names */

static int is_flavor(const char *rest)
{
	return rest[0] == '_' && rest[1] == '_' && rest[2] == '_';
}

/* Whether they are the same but for a ___flavor of the first. */
static int same_name(const char *flavored, const char *plain)
{
	size_t i = 0;

	while (plain[i] && flavored[i] == plain[i] && !(i && is_flavor(flavored + i)))
		i++;
	return i && !plain[i] && (!flavored[i] || is_flavor(flavored + i));
}

static int is_composite(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION;
}

static int is_enum(enum btf_kind kind)
{
	return kind == BTF_ENUM || kind == BTF_ENUM64;
}

/* ---- candidates */

void core_open(struct core *core, const struct btf *ours, const struct btf *kernel)
{
	*core = (struct core){ .ours = ours, .kernel = kernel };
}

static struct core_root *root_of(const struct core *core, uint32_t type)
{
	for (uint32_t i = 0; i < core->roots; i++)
		if (core->root[i].type == type)
			return (struct core_root *)&core->root[i];
	return NULL;
}

int core_add_root(struct core *core, uint32_t type, struct failure *f)
{
	if (root_of(core, type))
		return 0;
	if (core->roots == CORE_ROOTS_MAX)
		return fail(f, -SYS_E2BIG, "relocate", btf_type(core->ours, type).name,
			    "too many types of the kernel");
	core->root[core->roots++].type = type;
	return 0;
}

static int same_kind(enum btf_kind a, enum btf_kind b)
{
	return a == b || (is_enum(a) && is_enum(b));
}

int core_find_candidates(struct core *core, struct failure *f)
{
	struct btf_type wanted[CORE_ROOTS_MAX];
	uint64_t first_letters = 0;	/* modulo 64: lets some others through, which are few */
	uint32_t id = 0;

	for (uint32_t i = 0; i < core->roots; i++) {
		wanted[i] = btf_type(core->ours, btf_strip(core->ours, core->root[i].type));
		first_letters |= 1ull << (wanted[i].name[0] & 63);
	}
	while ((id = btf_next(core->kernel, id, KINDS_OF_ROOTS))) {
		const char *name = btf_name(core->kernel, id);
		struct btf_type type;

		if (!(first_letters >> (name[0] & 63) & 1))
			continue;
		type = btf_type(core->kernel, id);
		for (uint32_t i = 0; i < core->roots; i++) {
			struct core_root *root = &core->root[i];

			if (type.name[0] != wanted[i].name[0] || !same_kind(type.kind, wanted[i].kind) ||
			    !same_name(wanted[i].name, type.name))
				continue;
			if (root->candidates == CORE_CANDIDATES_MAX)
				return fail(f, -SYS_EINVAL, "relocate", type.name,
					    "the kernel has too many types of this name");
			root->candidate[root->candidates++] = id;
		}
	}
	return 0;
}

/* ---- paths */

static int add_step(struct path *path, const char *name, uint32_t index)
{
	if (path->count == STEPS_MAX)
		return -SYS_EINVAL;
	path->step[path->count++] = (struct step){ name, index };
	return 0;
}

/* One more number of the path, in ours. */
static int descend(const struct btf *btf, struct path *path, uint32_t number)
{
	uint32_t id = btf_strip(btf, path->type), element, count;
	struct btf_type type = btf_type(btf, id);
	struct btf_member member;
	int64_t size;

	if (is_composite(type.kind)) {
		if (number >= type.count)
			return -SYS_EINVAL;
		member = btf_member(btf, &type, number);
		if (member.bit_size)
			return -SYS_EINVAL;
		path->bit_offset += member.bit_offset;
		path->type = member.type;
		return *member.name ? add_step(path, member.name, 0) : 0;
	}
	if (type.kind != BTF_ARRAY)
		return -SYS_EINVAL;
	btf_array(btf, &type, &element, &count);
	size = btf_size(btf, element);
	if (size < 0 || size > UINT16_MAX || number >= count || number > UINT16_MAX)
		return -SYS_EINVAL;
	path->bit_offset += (uint32_t)size * number * 8;
	path->type = element;
	return add_step(path, NULL, number);
}

/* The next number of "0:1:2", at *text, and the colon if another follows; -EINVAL where there is none. */
static int path_number(const char **text, uint32_t *number)
{
	const char *p = *text;

	*number = 0;
	if (*p < '0' || *p > '9')
		return -SYS_EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		*number = *number * 10 + (uint32_t)(*p - '0');
		if (*number > UINT16_MAX)
			return -SYS_EINVAL;
	}
	if (*p == ':' && p[1])
		p++;
	else if (*p)
		return -SYS_EINVAL;
	*text = p;
	return 0;
}

static int read_path(const struct btf *ours, const struct core_relocation *r, struct path *path)
{
	const char *text = bytes_string(ours->strings, r->path_at);
	int error;

	*path = (struct path){ .root = r->type, .type = r->type };
	if (!text)
		return -SYS_EINVAL;
	error = path_number(&text, &path->root_index);
	while (!error && *text) {
		uint32_t number;

		error = path_number(&text, &number);
		if (!error)
			error = descend(ours, path, number);
	}
	/* pointer arithmetic over whole structs of the kernel is nothing the probe does */
	return error ? error : path->root_index ? -SYS_EINVAL : 0;
}

/*
 * Finds a member by name, anonymous members included: 1 with *id and *bit_offset moved on, 0 where there is none,
 * -EOPNOTSUPP for a bit-field.
 */
static int find_member(const struct btf *btf, const char *name, uint32_t *id, uint32_t *bit_offset,
		       unsigned depth)
{
	struct btf_type type = btf_type(btf, btf_strip(btf, *id));

	if (!is_composite(type.kind) || depth == DEPTH_MAX)
		return 0;
	for (uint32_t i = 0; i < type.count; i++) {
		struct btf_member member = btf_member(btf, &type, i);
		uint32_t inner = member.type, inner_offset = *bit_offset + member.bit_offset;
		int found = 0;

		if (*member.name) {
			if (!string_equal(member.name, name))
				continue;
			if (member.bit_size)
				return -SYS_EOPNOTSUPP;
			found = 1;
		} else {
			found = find_member(btf, name, &inner, &inner_offset, depth + 1);
		}
		if (found) {
			*id = inner;
			*bit_offset = inner_offset;
			return found;
		}
	}
	return 0;
}

/* As find_member(), for an element; 0 past the end, but an array of 0 elements is open-ended. */
static int find_element(const struct btf *btf, uint32_t index, uint32_t *id, uint32_t *bit_offset)
{
	struct btf_type type = btf_type(btf, btf_strip(btf, *id));
	uint32_t element, count;
	int64_t size;

	if (type.kind != BTF_ARRAY)
		return 0;
	btf_array(btf, &type, &element, &count);
	size = btf_size(btf, element);
	if ((count && index >= count) || size < 0 || size > UINT16_MAX)
		return 0;
	*bit_offset += (uint32_t)size * index * 8;
	*id = element;
	return 1;
}

/* Could a value of our type be read from theirs? Sizes of integers may differ, kinds may not. */
static int compatible(const struct btf *ours, uint32_t our_id, const struct btf *kernel, uint32_t their_id)
{
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		struct btf_type a = btf_type(ours, btf_strip(ours, our_id));
		struct btf_type b = btf_type(kernel, btf_strip(kernel, their_id));
		uint32_t ignored;

		if (is_composite(a.kind) && is_composite(b.kind))
			return 1;
		if ((a.kind == BTF_INT || is_enum(a.kind)) && (b.kind == BTF_INT || is_enum(b.kind)))
			return 1;
		if (a.kind != b.kind)
			return 0;
		if (a.kind != BTF_ARRAY)
			return a.kind == BTF_PTR || a.kind == BTF_FLOAT;
		btf_array(ours, &a, &our_id, &ignored);
		btf_array(kernel, &b, &their_id, &ignored);
	}
	return 0;
}

static int is_unsigned(const struct btf *btf, uint32_t id)
{
	struct btf_type type = btf_type(btf, btf_strip(btf, id));
	uint32_t encoding = 0;

	if (type.kind == BTF_PTR)
		return 1;
	if (type.kind != BTF_INT || !bytes_copy(btf->types, type.body, &encoding, sizeof encoding))
		return is_enum(type.kind) && !type.flag;
	return !(encoding >> 24 & INT_SIGNED);
}

/* ---- values */

static void field_value(const struct btf *btf, uint32_t id, uint32_t bit_offset, uint32_t kind,
			struct core_value *value)
{
	int64_t size = btf_size(btf, id);

	value->found = size >= 0;
	/* only where it is accessed: types that differ in it agree that it exists */
	value->width = kind == CORE_FIELD_OFFSET && size >= 0 && size <= UINT32_MAX ? (uint32_t)size : 0;
	value->is_unsigned = is_unsigned(btf, id);
	value->value = kind == CORE_FIELD_EXISTS ? 1 :
		       kind == CORE_FIELD_SIZE	 ? (uint64_t)size :
						   bit_offset / 8;
}

static int enumerator_value(const struct btf *btf, uint32_t id, const char *name, uint32_t kind,
			    struct core_value *value)
{
	struct btf_type type = btf_type(btf, btf_strip(btf, id));
	int64_t number;

	for (uint32_t i = 0; is_enum(type.kind) && i < type.count; i++) {
		if (!same_name(name, btf_enumerator(btf, &type, i, &number)) &&
		    !string_equal(name, btf_enumerator(btf, &type, i, &number)))
			continue;
		value->found = 1;
		value->value = kind == CORE_ENUMERATOR_EXISTS ? 1 : (uint64_t)number;
		return 1;
	}
	return 0;
}

/* The path in one candidate: 1 found, 0 not there, -errno. */
static int walk(const struct core *core, const struct path *path, uint32_t candidate, uint32_t kind,
		struct core_value *value)
{
	uint32_t id = candidate, bit_offset = 0;

	for (uint32_t i = 0; i < path->count; i++) {
		const struct step *step = &path->step[i];
		int found = step->name ? find_member(core->kernel, step->name, &id, &bit_offset, 0) :
					 find_element(core->kernel, step->index, &id, &bit_offset);

		if (found != 1)
			return found;
	}
	if (bit_offset % 8 || !compatible(core->ours, path->type, core->kernel, id))
		return 0;
	field_value(core->kernel, id, bit_offset, kind, value);
	return value->found;
}

static int candidate_value(const struct core *core, const struct core_relocation *r, const struct path *path,
			   const char *enumerator, uint32_t candidate, struct core_value *value)
{
	int64_t size;

	*value = (struct core_value){ 0 };
	switch (r->kind) {
	case CORE_FIELD_OFFSET:
	case CORE_FIELD_SIZE:
	case CORE_FIELD_EXISTS: return walk(core, path, candidate, r->kind, value);
	case CORE_ENUMERATOR_EXISTS:
	case CORE_ENUMERATOR_VALUE:
		return enumerator_value(core->kernel, candidate, enumerator, r->kind, value);
	default:	/* CORE_TYPE_EXISTS, CORE_TYPE_SIZE */
		size = btf_size(core->kernel, candidate);
		value->found = size >= 0;
		value->value = r->kind == CORE_TYPE_EXISTS ? 1 : (uint64_t)size;
		return value->found;
	}
}

/* What the compiler assumed: the same questions, asked of ours. */
static int assumed_value(const struct core *core, const struct core_relocation *r, struct path *path,
			 const char **enumerator, struct core_value *value)
{
	const struct btf *ours = core->ours;
	struct btf_type type = btf_type(ours, btf_strip(ours, r->type));
	const char *text = bytes_string(ours->strings, r->path_at);
	uint32_t number = 0;
	int64_t enumerated;
	int error;

	*value = (struct core_value){ 0 };
	switch (r->kind) {
	case CORE_FIELD_OFFSET:
	case CORE_FIELD_SIZE:
	case CORE_FIELD_EXISTS:
		error = read_path(ours, r, path);
		if (!error)
			field_value(ours, path->type, path->bit_offset, r->kind, value);
		return error ? error : value->found ? 0 : -SYS_EINVAL;
	case CORE_TYPE_EXISTS:
	case CORE_TYPE_SIZE:
		value->found = 1;
		value->value = r->kind == CORE_TYPE_EXISTS ? 1 : (uint64_t)btf_size(ours, r->type);
		return 0;
	case CORE_ENUMERATOR_EXISTS:
	case CORE_ENUMERATOR_VALUE:
		if (!text || path_number(&text, &number) || *text || !is_enum(type.kind) ||
		    number >= type.count)
			return -SYS_EINVAL;
		*enumerator = btf_enumerator(ours, &type, number, &enumerated);
		value->found = 1;
		value->value = r->kind == CORE_ENUMERATOR_EXISTS ? 1 : (uint64_t)enumerated;
		return 0;
	default: return -SYS_EOPNOTSUPP;
	}
}

int core_resolve(const struct core *core, const struct core_relocation *r, struct core_value *assumed,
		 struct core_value *actual, struct failure *f)
{
	const char *name = btf_type(core->ours, btf_strip(core->ours, r->type)).name, *enumerator = "";
	const struct core_root *root = root_of(core, r->type);
	struct path path;
	int error = assumed_value(core, r, &path, &enumerator, assumed);

	*actual = (struct core_value){ 0 };
	if (error || !root)
		return fail(f, error ? error : -SYS_EINVAL, "relocate", name,
			    "the probe's own record of the access makes no sense");
	for (uint32_t i = 0; i < root->candidates; i++) {
		struct core_value value;
		int found = candidate_value(core, r, &path, enumerator, root->candidate[i], &value);

		if (found < 0)
			return fail(f, found, "relocate", name, "this kernel has a bit-field there");
		if (!found)
			continue;
		if (actual->found && (actual->value != value.value || actual->width != value.width))
			return fail(f, -SYS_EINVAL, "relocate", name,
				    "the kernel has several types of this name, which disagree");
		*actual = value;
	}
	return 0;
}

/* ---- instructions (Linux, Documentation/bpf/standardization/instruction-set.rst) */

enum {
	CLASS = 0x07,
	CLASS_LDX = 0x01,
	CLASS_ST = 0x02,
	CLASS_STX = 0x03,
	CLASS_ALU = 0x04,
	CLASS_ALU64 = 0x07,
	SOURCE_REGISTER = 0x08,
	SIZE = 0x18,
	LOAD_WIDE_IMMEDIATE = 0x18,
	CALL = 0x85,
};

/* Bytes of a load or store; the size bits are W, H, B, DW. */
static uint32_t access_width(uint8_t code)
{
	static const uint8_t width[4] = { 4, 2, 1, 8 };

	return width[(code & SIZE) >> 3];
}

static int set_access_width(uint8_t *code, uint32_t width)
{
	uint8_t bits;

	switch (width) {
	case 1: bits = 0x10; break;
	case 2: bits = 0x08; break;
	case 4: bits = 0x00; break;
	case 8: bits = 0x18; break;
	default: return -SYS_EINVAL;
	}
	*code = (uint8_t)((*code & ~SIZE) | bits);
	return 0;
}

static int patch_access(struct instruction *code, const struct core_value *assumed,
			const struct core_value *actual)
{
	if (code->offset < 0 || (uint64_t)code->offset != assumed->value || actual->value > INT16_MAX)
		return -SYS_EINVAL;
	code->offset = (int16_t)actual->value;
	if (actual->width == assumed->width)
		return 0;
	/* another width: fine where zero extension is right and the whole field was loaded */
	if ((code->code & CLASS) != CLASS_LDX || access_width(code->code) != assumed->width ||
	    !assumed->is_unsigned)
		return -SYS_EINVAL;
	return set_access_width(&code->code, actual->width);
}

int core_patch(struct instruction *code, uint32_t count, uint32_t index, const struct core_value *assumed,
	       const struct core_value *actual, uint32_t kind)
{
	int asks = kind == CORE_FIELD_EXISTS || kind == CORE_TYPE_EXISTS || kind == CORE_ENUMERATOR_EXISTS;
	struct instruction *at;
	int wide;

	if (index >= count)
		return -SYS_EINVAL;
	at = &code[index];
	wide = at->code == LOAD_WIDE_IMMEDIATE;
	if (wide && index + 1 >= count)
		return -SYS_EINVAL;
	if (!actual->found && !asks) {
		at[0] = (struct instruction){ .code = CALL, .immediate = POISON + (int32_t)index };
		if (wide)
			at[1] = at[0];
		return 0;
	}
	if (wide) {
		if ((uint32_t)at[0].immediate != (uint32_t)assumed->value ||
		    (uint32_t)at[1].immediate != (uint32_t)(assumed->value >> 32))
			return -SYS_EINVAL;
		at[0].immediate = (int32_t)(uint32_t)actual->value;
		at[1].immediate = (int32_t)(actual->value >> 32);
		return 0;
	}
	switch (at->code & CLASS) {
	case CLASS_LDX:
	case CLASS_ST:
	case CLASS_STX: return patch_access(at, assumed, actual);
	case CLASS_ALU:
	case CLASS_ALU64:
		if (at->code & SOURCE_REGISTER || (uint64_t)(uint32_t)at->immediate != assumed->value ||
		    actual->value > INT32_MAX)
			return -SYS_EINVAL;
		at->immediate = (int32_t)actual->value;
		return 0;
	default: return -SYS_EINVAL;
	}
}
