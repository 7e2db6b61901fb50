/* SPDX-License-Identifier: MIT */
#include "loader/load.h"

#include "loader/attach.h"
#include "loader/bpf.h"
#include "loader/machine.h"
#include "loader/sys.h"
#include "loader/start.h"
#include "loader/tracepoint.h"
#include "loader/unpack.h"

enum { LOG_SIZE = 1 << 20, LOAD_TRIES = 8 };

extern const uint8_t probe_object[], probe_object_end[];

static const char kernel_btf_path[] = "/sys/kernel/btf/vmlinux";

/* All that is needed only on the way in; in temporary memory, gone before the first sample. */
struct way_in {
	struct object object;
	struct btf kernel;
	struct core core;
	struct arena btf_arena, arena, own;	/* own: the built-in object, unpacked */
	struct attach_point point[OBJECT_PROGRAMS_MAX];
	int events;			/* folder of tracepoints, or -1 */
};

static const char *advice(int error)
{
	switch (-error) {
	case SYS_EPERM:
	case SYS_EACCES:
		if (machine_may_be_short())
			return "this kernel counts it as locked memory: raise the limit (ulimit -l unlimited), or run it "
			       "as root";
		return "needs CAP_BPF and CAP_PERFMON: run it as root, or give them with make install-caps";
	case SYS_ENOMEM: return "the kernel has no memory for it: try a smaller --max-tasks";
	case SYS_E2BIG: return "more than the kernel takes: try a smaller --max-tasks";
	case SYS_ENOSYS: return "this kernel is built without BPF (CONFIG_BPF_SYSCALL)";
	case SYS_EAGAIN:
	case SYS_EIO:
	case SYS_ENFILE:
	case SYS_EMFILE: return NULL;	/* says it by itself */
	default: return "not offered by this kernel; rstat --check says more";
	}
}

/* Lockdown takes helpers away, which the verifier then does not know. */
static const char *load_advice(int error)
{
	if ((error == -SYS_EINVAL || error == -SYS_EPERM || error == -SYS_EACCES) && machine_is_confidential())
		return "kernel lockdown (confidentiality) keeps BPF from reading kernel memory: boot without it, or use "
		       "--attach proc";
	switch (-error) {
	case SYS_EAGAIN: return "signals have interrupted the kernel's verifier each time: start it again";
	case SYS_EPERM:
	case SYS_ENOMEM:
	case SYS_ENOSYS:
	case SYS_ENFILE:
	case SYS_EMFILE: return advice(error);
	default: return "the kernel's verifier refuses it; rstat --check shows its log";
	}
}

/* ---- memory for the way in */

static int take_memory(struct arena *arena, size_t size)
{
	*arena = (struct arena){ .size = size };
	arena->data = sys_mmap(NULL, size, SYS_PROT_READ | SYS_PROT_WRITE,
			       SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
	return sys_failed(arena->data);
}

static void free_memory(struct arena *arena)
{
	if (arena->size && !sys_failed(arena->data))
		sys_munmap(arena->data, arena->size);
	arena->size = 0;
}

/* ---- maps */

enum { BTF_INT_ID = 1, BTF_VALUE_ID = 2, TASK_STORAGE = 29 };

/* The smallest BTF that a task storage map accepts: "int" for its key, an array of int as large as its value. */
static int load_storage_btf(uint32_t value_size)
{
	const struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t header_size, types_at, types_size, strings_at, strings_size;
		uint32_t name, info, size, encoding;
		uint32_t array_name, array_info, array_size, element, index, elements;
		char strings[8];
	} btf = {
		.magic = 0xeb9f, .version = 1, .header_size = 24, .types_size = 40, .strings_at = 40,
		.strings_size = 5, .name = 1, .info = BTF_INT << 24, .size = 4,
		.encoding = 1 << 24 | 32, /* signed, 32 bits */
		.array_info = BTF_ARRAY << 24, .element = BTF_INT_ID, .index = BTF_INT_ID,
		.elements = value_size / 4, .strings = "\0int",
	};

	return bpf_btf_load(&btf, 24 + 40 + 5);
}

static uint32_t round_up(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

/* Maps whose capacity is the machine's have 0 in the object; task storage grows by itself and keeps it. */
static void size_map(struct object_map *map, const struct config *config)
{
	static const char *const per_cpu[] = { "running_map", "on_cpu_map" };

	if (map->definition.max_entries || map->definition.type == TASK_STORAGE)
		return;
	map->definition.max_entries = config->capacity;
	if (string_equal(map->name, "slots_map"))
		map->definition.max_entries += config->capacity / SLOT_MARKS + 1;
	/* a fourth more, for tasks without a slot, and for those that have ended and are not freed yet */
	if (string_equal(map->name, "pids_map"))
		map->definition.max_entries += config->capacity / 4;
	for (unsigned i = 0; i < sizeof per_cpu / sizeof per_cpu[0]; i++)
		if (string_equal(map->name, per_cpu[i]))
			map->definition.max_entries = config->cpus;
}

static int create_storage(struct object_map *map)
{
	int btf = load_storage_btf(map->definition.value_size);
	int fd = btf < 0 ? btf : bpf_map_create(map->name, &map->definition, btf, BTF_INT_ID, BTF_VALUE_ID);

	if (btf >= 0)
		sys_close(btf);
	return fd;
}

static int create_map(struct object_map *map)
{
	return map->definition.type == TASK_STORAGE ? create_storage(map) :
						      bpf_map_create(map->name, &map->definition, 0, 0, 0);
}

static int create_maps(struct object *object, const struct config *config, struct failure *f)
{
	for (uint32_t i = 0; i < object->maps; i++) {
		struct object_map *map = &object->map[i];

		if (!map->wanted)
			continue;
		size_map(map, config);
		map->fd = create_map(map);
		if (map->fd == -SYS_EPERM && machine_raise_locked())
			map->fd = create_map(map);
		if (map->fd < 0)
			return fail(f, map->fd, "create map", map->name, advice(map->fd));
	}
	return 0;
}

/* .rodata with the config in it, frozen: the verifier then takes its values for constants. */
static int create_constants(struct object *object, const struct config *config, struct arena *arena,
			    struct failure *f)
{
	struct map_definition definition = {
		.type = 2, .key_size = 4, .value_size = (uint32_t)object->constants.size,
		.max_entries = 1, .flags = BPF_F_RDONLY_PROG,
	};
	uint8_t *value = arena_take(arena, object->constants.size);
	uint32_t key = 0;
	int fd, error;

	if (!value)
		return fail(f, -SYS_ENOMEM, "create map", ".rodata", NULL);
	memcpy(value, object->constants.data, object->constants.size);
	memcpy(value + object->config_at, config, sizeof *config);
	fd = bpf_map_create("constants", &definition, 0, 0, 0);
	if (fd == -SYS_EPERM && machine_raise_locked())
		fd = bpf_map_create("constants", &definition, 0, 0, 0);
	if (fd < 0)
		return fail(f, fd, "create map", ".rodata", advice(fd));
	object->constants_fd = fd;
	error = bpf_map_update(fd, &key, value);
	if (!error)
		error = bpf_map_freeze(fd);
	return error ? fail(f, error, "fill map", ".rodata", advice(error)) : 0;
}

static void *map_memory(int fd, size_t size, int protection)
{
	return sys_mmap(NULL, size, protection, SYS_MAP_SHARED, fd, 0);
}

static int map_one(struct object *object, const char *name, size_t size, int protection, void *memory,
		   struct failure *f)
{
	struct object_map *map = object_find_map(object, name);
	void *data = (void *)-SYS_ENOENT;
	int error;

	if (map && (uint64_t)map->definition.max_entries * map->definition.value_size >= size)
		data = map_memory(map->fd, size, protection);
	error = sys_failed(data);
	if (error)
		return fail(f, error, "map memory of", name, NULL);
	memcpy(memory, &data, sizeof data);
	return 0;
}

/* The address range for all slots is reserved; pieces of the array are put into it as they are needed. */
static int map_arrays(struct probe *probe, struct object *object, struct failure *f)
{
	struct object_map *slots = object_find_map(object, "slots_map");
	size_t size = probe_reserved(probe);
	void *range;
	int error;

	if (!slots || slots->definition.value_size != sizeof(struct slot))
		return fail(f, -SYS_EINVAL, "map memory of", "slots_map", "missing from the probe object");
	range = sys_mmap(NULL, size, SYS_PROT_NONE,
			 SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE, -1, 0);
	error = sys_failed(range);
	if (error)
		return fail(f, error, "reserve memory for", "slots_map", "try a smaller --max-tasks");
	probe->slots = range;
	probe->marks = (const uint8_t *)(probe->slots + probe->capacity);
	probe->slots_map = slots->fd;
	slots->fd = -1;
	error = map_one(object, "running_map", probe->cpus * sizeof(struct running), SYS_PROT_READ,
			&probe->running, f);
	if (!error)
		error = map_one(object, "counters_map", sizeof(struct counters), SYS_PROT_READ,
				&probe->counters, f);
	if (!error)
		error = map_one(object, "epoch_map", sizeof(struct epoch), SYS_PROT_READ | SYS_PROT_WRITE,
				&probe->epoch, f);
	return error;
}

/* ---- programs */

/* The tail of the verifier's log, whole lines, without addresses of the kernel. */
static void keep_log(struct probe_request *request, const char *log, size_t size)
{
	size_t length = 0, from = 0;

	while (length < size && log[length])
		length++;
	if (length > request->log_size) {
		from = length - request->log_size;
		while (from < length && log[from++] != '\n')
			;
	}
	/* half a line may end in half a number */
	while (length > from && log[length - 1] != '\n')
		length--;
	request->log_used = length - from;
	memcpy(request->log, log + from, length - from);
	failure_hide_addresses(request->log, request->log_used);
}

/* The verifier gives up when a signal comes, also one that only stops us: that is no refusal. */
static int load_undisturbed(const struct bpf_program_request *program)
{
	int fd = -SYS_EAGAIN;

	for (unsigned tries = 0; tries < LOAD_TRIES && fd == -SYS_EAGAIN; tries++)
		fd = bpf_program_load(program);
	return fd;
}

static void explain_refusal(struct probe_request *request, struct bpf_program_request *program)
{
	struct arena log;

	if (take_memory(&log, LOG_SIZE))
		return;
	program->log = (char *)log.data;
	program->log_size = LOG_SIZE;
	sys_close(load_undisturbed(program));
	keep_log(request, program->log, LOG_SIZE);
	free_memory(&log);
}

static int load_program(struct way_in *way, uint32_t i, struct probe_request *request, struct failure *f)
{
	const struct object_program *program = &way->object.program[i];
	struct bpf_program_request r = {
		.name = program->name,
		.license = way->object.license,
		.code = program->code,
		.count = program->count,
		.type = way->point[i].program_type,
		.attach_type = way->point[i].attach_type,
		.attach_btf_id = way->point[i].btf_id,
	};
	int fd = load_undisturbed(&r);

	if (fd == -SYS_EPERM && machine_raise_locked())
		fd = load_undisturbed(&r);
	if (fd >= 0)
		return fd;
	if (request->log)
		explain_refusal(request, &r);
	return fail(f, fd, "load program", program->section, load_advice(fd));
}

static void copy_name(char to[PROBE_NAME_SIZE], const char *name)
{
	for (unsigned i = 0; i < PROBE_NAME_SIZE - 1 && name[i]; i++)
		to[i] = name[i];
}

static int load_programs(struct probe *probe, struct way_in *way, struct probe_request *request,
			 struct failure *f)
{
	for (uint32_t i = 0; i < way->object.programs; i++) {
		int fd = load_program(way, i, request, f);

		if (fd < 0)
			return fd;
		probe->program[i] = fd;
		copy_name(probe->program_name[i], way->object.program[i].name);
		probe->programs = i + 1;
	}
	return 0;
}

/* The program of that kind of point and name: its index, or -ENOENT. */
static int find_point(struct way_in *way, enum point_kind kind, const char *name, struct failure *f)
{
	for (uint32_t i = 0; i < way->object.programs; i++)
		if (way->point[i].kind == kind && string_equal(way->point[i].name, name))
			return (int)i;
	return fail(f, -SYS_ENOENT, "find program for", name, "missing from the probe object");
}

static int attach_event(struct way_in *way, const struct attach_point *point, int program, uint64_t *id,
			struct failure *f)
{
	int error, fd;

	error = tracepoint_id(way->events, point->event, id, f);
	if (error)
		return error;
	fd = tracepoint_attach(*id, program);
	return fd < 0 ? fail(f, fd, "attach", point->event, advice(fd)) : fd;
}

static int attach_one(struct way_in *way, struct probe *probe, enum point_kind kind, const char *name, int *link,
		      struct failure *f)
{
	int i = find_point(way, kind, name, f);
	uint64_t id;

	if (i < 0)
		return i;
	id = way->point[i].btf_id;
	switch (kind) {
	case POINT_PERF: *link = attach_event(way, &way->point[i], probe->program[i], &id, f); break;
	case POINT_ITER: *link = bpf_link_create(probe->program[i], BPF_TRACE_ITER); break;
	default: *link = bpf_raw_tracepoint_open(probe->program[i], kind == POINT_RAW ? name : NULL);
	}
	if (*link < 0)
		return fail(f, *link, "attach", way->object.program[i].section, advice(*link));
	if (string_equal(name, "sched_switch")) {
		probe->switch_index = (uint32_t)i;
		probe->switch_id = id;
	}
	return 0;
}

static int find_run(struct way_in *way, struct probe *probe, const char *name, int *program, struct failure *f)
{
	int i = find_point(way, POINT_RUN, name, f);

	if (i < 0)
		return i;
	*program = probe->program[i];
	return 0;
}

/* Numbers for the portable paths, whose programs cannot count up by themselves. */
static int fill_numbers(struct way_in *way, struct probe *probe, struct failure *f)
{
	int program, error = probe->path == PATH_BTF ? 0 : find_run(way, probe, "fill", &program, f);

	if (error || probe->path == PATH_BTF)
		return error;
	for (uint64_t first = 0; !error && first < probe->capacity; first += FILL_STEP)
		error = bpf_program_test_run(program, &first, sizeof first);
	return error ? fail(f, error, "run", "portable_run/fill", advice(error)) : 0;
}

static int seed(struct probe *probe, struct failure *f)
{
	int error = probe_refresh(probe);

	return error ? fail(f, error, "run", "iter/task", advice(error)) : 0;
}

/* A kernel that lets us attach what it does not let us read is none to begin with. */
static int read_once(struct probe *probe, struct failure *f)
{
	int error;

	probe_readable(probe);
	if (!probe_hold(probe, 0))
		return fail(f, probe->unmapped, "map memory of", "slots_map", NULL);
	error = probe_begin_scan(probe);
	return error ? fail(f, error, "run", "test_run/sample", advice(error)) : 0;
}

/*
 * Free before birth, birth before seed: no slot may be given out whose end would not be seen. Seed before switch, so
 * that all tasks have their slots when the first is seen; again after it, for what runs and has not been switched in.
 */
static int attach_all(struct probe *probe, struct way_in *way, struct failure *f)
{
	static const enum point_kind kinds[PATHS] = { POINT_BTF, POINT_RAW, POINT_PERF };
	enum point_kind kind = kinds[probe->path];
	int error = fill_numbers(way, probe, f);

	if (!error)
		error = attach_one(way, probe, kind, "sched_process_free", &probe->link[0], f);
	if (!error && probe->path != PATH_BTF)
		error = attach_one(way, probe, kind, "sched_process_exec", &probe->link[3], f);
	if (!error)
		error = attach_one(way, probe, kind, "task_newtask", &probe->link[1], f);
	if (!error)
		error = attach_one(way, probe, POINT_ITER, "task", &probe->seed, f);
	if (!error)
		error = find_run(way, probe, "sample", &probe->sample, f);
	if (!error)
		error = find_run(way, probe, "reclaim", &probe->reclaim, f);
	if (!error)
		error = seed(probe, f);
	if (!error)
		error = attach_one(way, probe, kind, "sched_switch", &probe->link[2], f);
	if (error)
		return error;
	__atomic_store_n(&probe->epoch->now, 1, __ATOMIC_SEQ_CST);
	error = seed(probe, f);
	return error ? error : read_once(probe, f);
}

/* ---- the whole */

static int open_kernel_btf(struct way_in *way, struct failure *f)
{
	struct bytes data;
	uint32_t *index;
	size_t entries;
	int error = machine_read_file(kernel_btf_path, true, &way->btf_arena);

	if (error)
		return fail(f, error, "read", kernel_btf_path,
			    error == -SYS_ENOENT ? "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)" : NULL);
	data = (struct bytes){ way->btf_arena.data, way->btf_arena.used };
	entries = btf_index_entries(data);
	/* one entry per 12 bytes of types, so a third of the file bounds it */
	error = take_memory(&way->arena, entries * sizeof *index + object_memory(1 << 20));
	index = error ? NULL : arena_take(&way->arena, entries * sizeof *index);
	if (!index)
		return fail(f, -SYS_ENOMEM, "read", kernel_btf_path, NULL);
	return btf_open(&way->kernel, data, index, "the kernel", f);
}

static int open_own(struct way_in *way, struct bytes *object, struct failure *f)
{
	/* cppcheck-suppress comparePointers ; two labels of one section */
	struct bytes packed = { probe_object, (size_t)(probe_object_end - probe_object) };
	size_t size = unpack_size(packed);
	int error = take_memory(&way->own, size);

	if (!error)
		error = unpack(packed, way->own.data, size);
	*object = (struct bytes){ way->own.data, size };
	return error ? fail(f, error, "unpack", "the probe", NULL) : 0;
}

static int resolve_attach_points(struct way_in *way, enum probe_path path, struct failure *f)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < way->object.programs; i++)
		error = attach_resolve(&way->kernel, &way->object.program[i], path, &way->point[i], f);
	return error;
}

/* What the chosen path has to know of the kernel's tracepoints. */
static int configure(struct way_in *way, struct config *config, struct failure *f)
{
	int result;

	if (config->path != PATH_PERF) {
		result = attach_prev_argument(&way->kernel, f);
		config->prev_argument = (uint32_t)result;
		return result < 0 ? result : 0;
	}
	result = tracepoint_folder(f);
	if (result < 0)
		return result;
	way->events = result;
	return tracepoint_offsets(way->events, &config->at, f);
}

static int go_in(struct probe *probe, struct way_in *way, struct probe_request *request, struct failure *f)
{
	struct config config = {
		.cpus = probe->cpus,
		.capacity = probe->capacity,
		.weak_order = ARCH_WEAK_ORDER,
		.path = probe->path,
	};
	struct bytes object = request->object;
	int error = open_kernel_btf(way, f);

	if (!error && !object.data)
		error = open_own(way, &object, f);
	if (!error)
		error = object_open(&way->object, object, &way->arena, f);
	if (error)
		return error;
	object_keep(&way->object, attach_wants, probe->path);
	error = resolve_attach_points(way, probe->path, f);
	if (!error)
		error = configure(way, &config, f);
	if (!error)
		error = object_fit_kernel(&way->object, &way->kernel, &way->core, f);
	if (!error)
		error = create_maps(&way->object, &config, f);
	if (!error)
		error = create_constants(&way->object, &config, &way->arena, f);
	if (!error)
		error = object_link_maps(&way->object, f);
	if (!error)
		error = load_programs(probe, way, request, f);
	if (!error)
		error = map_arrays(probe, &way->object, f);
	return error ? error : attach_all(probe, way, f);
}

static void leave(struct way_in *way)
{
	for (uint32_t i = 0; i < way->object.maps; i++)
		sys_close_once(&way->object.map[i].fd);
	sys_close_once(&way->object.constants_fd);
	sys_close_once(&way->events);
	free_memory(&way->arena);
	free_memory(&way->btf_arena);
	free_memory(&way->own);
}

static void begin(struct probe *probe, const struct probe_request *request)
{
	uint32_t page = (uint32_t)(start_facts()->page_size / sizeof(struct slot));

	probe_clear(probe);
	probe->path = request->path;
	probe->cpus = machine_possible_cpus();
	probe->capacity = request->slots ? request->slots : machine_default_slots();
	/* whole pages, so that the last piece can be mapped */
	probe->capacity = round_up(probe->capacity, page);
	probe->piece = 2 * page;	/* so that what is seen of them is whole pages, too */
}

int probe_load(struct probe *probe, struct probe_request *request, struct failure *f)
{
	struct arena memory;
	struct way_in *way;
	int error;

	begin(probe, request);
	error = take_memory(&memory, sizeof *way);
	if (error)
		return fail(f, error, "reserve memory for", "the loader", NULL);
	way = (struct way_in *)memory.data;
	way->object.constants_fd = way->events = -1;
	error = go_in(probe, way, request, f);
	leave(way);
	free_memory(&memory);
	drop_pages(probe_object, probe_object_end);	/* read for the last time */
	if (error)
		probe_unload(probe);
	return error;
}
