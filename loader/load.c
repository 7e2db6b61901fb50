/* SPDX-License-Identifier: MIT */
#include "loader/load.h"

#include "loader/attach.h"
#include "loader/machine.h"
#include "loader/sys.h"
#include "loader/start.h"

enum {
	PIECE = 16 * 1024,		/* bytes of the slot array mapped at a time, or a page */
	LOG_SIZE = 1 << 20,
	READS_MAX = 4096,		/* of one pass of the iterator */
};

extern const uint8_t probe_object[], probe_object_end[];

static const char kernel_btf_path[] = "/sys/kernel/btf/vmlinux";

/* All that is needed only on the way in; in temporary memory, gone before the first sample. */
struct way_in {
	struct object object;
	struct btf kernel;
	struct core core;
	struct arena btf_arena, arena;
	struct attach_point point[OBJECT_PROGRAMS_MAX];
};

static const char *advice(int error)
{
	switch (-error) {
	case SYS_EPERM:
	case SYS_EACCES:
		return "needs CAP_BPF and CAP_PERFMON: run it as root, or give them with make install-caps";
	case SYS_ENOMEM: return "the kernel has no memory for it: try a smaller --max-tasks";
	case SYS_E2BIG: return "more than the kernel takes: try a smaller --max-tasks";
	case SYS_ENOSYS: return "this kernel is built without BPF (CONFIG_BPF_SYSCALL)";
	default: return "not offered by this kernel; rstat --check says more";
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

/* The smallest BTF that a task storage map accepts for its key and value: one type, "int". */
static int load_int_btf(void)
{
	static const struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t header_size, types_at, types_size, strings_at, strings_size;
		uint32_t name, info, size, encoding;
		char strings[8];
	} btf = {
		.magic = 0xeb9f, .version = 1, .header_size = 24, .types_size = 16, .strings_at = 16,
		.strings_size = 5, .name = 1, .info = BTF_INT << 24, .size = 4,
		.encoding = 1 << 24 | 32, /* signed, 32 bits */
		.strings = "\0int",
	};

	return bpf_btf_load(&btf, 24 + 16 + 5);
}

static uint32_t round_up(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

/* Maps whose capacity is the machine's have 0 in the object; task storage grows by itself and keeps it. */
static void size_map(struct object_map *map, const struct config *config)
{
	static const char *const per_cpu[] = { "running_map", "on_cpu_map" };
	int task_storage = map->definition.type == 29;

	if (map->definition.max_entries || task_storage)
		return;
	map->definition.max_entries = config->capacity;
	for (unsigned i = 0; i < sizeof per_cpu / sizeof per_cpu[0]; i++)
		if (string_equal(map->name, per_cpu[i]))
			map->definition.max_entries = config->cpus;
}

static int create_maps(struct object *object, const struct config *config, struct failure *f)
{
	int btf = load_int_btf(), error = 0;

	if (btf < 0)
		return fail(f, btf, "load BTF of", "task storage", advice(btf));
	for (uint32_t i = 0; !error && i < object->maps; i++) {
		struct object_map *map = &object->map[i];
		int task_storage = map->definition.type == 29;

		size_map(map, config);
		map->fd = bpf_map_create(map->name, &map->definition, task_storage ? btf : 0, task_storage,
					 task_storage);
		if (map->fd < 0)
			error = fail(f, map->fd, "create map", map->name, advice(map->fd));
	}
	sys_close(btf);
	return error;
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
	size_t size = (size_t)probe->capacity * sizeof(struct slot);
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

uint32_t probe_readable(struct probe *probe)
{
	uint64_t high = __atomic_load_n(&probe->counters->high, __ATOMIC_ACQUIRE);
	uint32_t wanted = high < probe->capacity ? (uint32_t)high : probe->capacity;

	while (probe->mapped < wanted) {
		uint64_t at = (uint64_t)probe->mapped * sizeof(struct slot);
		uint64_t rest = (uint64_t)probe->capacity * sizeof(struct slot) - at;
		void *to = (uint8_t *)(uintptr_t)probe->slots + at;
		uint64_t page = start_facts()->page_size, piece = page > PIECE ? page : PIECE;
		uint64_t size = rest < piece ? rest : piece;

		if (sys_failed(sys_mmap(to, size, SYS_PROT_READ, SYS_MAP_SHARED | SYS_MAP_FIXED,
					probe->slots_map, (int64_t)at)))
			break;
		probe->mapped += (uint32_t)(size / sizeof(struct slot));
	}
	return wanted < probe->mapped ? wanted : probe->mapped;
}

/* ---- programs */

/* The tail of the verifier's log, whole lines. */
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
	request->log_used = length - from;
	memcpy(request->log, log + from, length - from);
}

static void explain_refusal(struct probe_request *request, struct bpf_program_request *program)
{
	struct arena log;

	if (take_memory(&log, LOG_SIZE))
		return;
	program->log = (char *)log.data;
	program->log_size = LOG_SIZE;
	sys_close(bpf_program_load(program));
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
	int fd = bpf_program_load(&r);

	if (fd >= 0)
		return fd;
	if (request->log)
		explain_refusal(request, &r);
	return fail(f, fd, "load program", program->section,
		    fd == -SYS_EPERM ? advice(fd) : "the kernel's verifier refuses it; rstat --check shows its log");
}

static int load_programs(struct probe *probe, struct way_in *way, struct probe_request *request,
			 struct failure *f)
{
	for (uint32_t i = 0; i < way->object.programs; i++) {
		int fd = load_program(way, i, request, f);

		if (fd < 0)
			return fd;
		probe->program[i] = fd;
		probe->program_name[i] = way->object.program[i].name;
		probe->programs = i + 1;
	}
	return 0;
}

static int attach_one(struct way_in *way, struct probe *probe, const char *section, int *link,
		      struct failure *f)
{
	for (uint32_t i = 0; i < way->object.programs; i++) {
		if (!string_equal(way->object.program[i].section, section))
			continue;
		if (string_equal(section, "tp_btf/sched_switch"))
			probe->switch_btf_id = way->point[i].btf_id;
		*link = way->point[i].attach_type == BPF_TRACE_ITER ?
				bpf_link_create(probe->program[i], BPF_TRACE_ITER) :
				bpf_raw_tracepoint_open(probe->program[i]);
		return *link < 0 ? fail(f, *link, "attach", section, advice(*link)) : 0;
	}
	return fail(f, -SYS_ENOENT, "attach", section, "missing from the probe object");
}

/* Free before birth, birth before seed: no slot may be given out whose end would not be seen. */
static int attach_all(struct probe *probe, struct way_in *way, struct failure *f)
{
	static const char *const order[PROBE_LINKS_MAX] = {
		"tp_btf/sched_process_free",
		"tp_btf/task_newtask",
		"tp_btf/sched_switch",
	};
	struct object_program *sample = object_find_program(&way->object, "on_sample");
	int error = 0;

	for (uint32_t i = 0; !error && i < PROBE_LINKS_MAX; i++)
		error = attach_one(way, probe, order[i], &probe->link[i], f);
	if (!error)
		error = attach_one(way, probe, "iter/task", &probe->seed, f);
	if (!error && !sample)
		error = fail(f, -SYS_ENOENT, "find program", "on_sample", "missing from the probe object");
	if (error)
		return error;
	probe->sample = probe->program[sample - way->object.program];
	error = probe_refresh(probe);
	return error ? fail(f, error, "run", "iter/task", advice(error)) : 0;
}

int probe_begin_scan(struct probe *probe)
{
	__atomic_fetch_add(&probe->epoch->now, 1, __ATOMIC_SEQ_CST);
	return bpf_program_test_run(probe->sample);
}

int probe_refresh(struct probe *probe)
{
	int fd = bpf_iter_create(probe->seed);
	char unused[64];
	long result = -SYS_EAGAIN;

	if (fd < 0)
		return fd;
	for (unsigned i = 0; i < READS_MAX && (result == -SYS_EAGAIN || result == -SYS_EINTR || result > 0); i++)
		result = sys_read(fd, unused, sizeof unused);
	sys_close(fd);
	return result < 0 ? (int)result : 0;
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

static int resolve_attach_points(struct way_in *way, struct failure *f)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < way->object.programs; i++)
		error = attach_resolve(&way->kernel, &way->object.program[i], &way->point[i], f);
	return error;
}

static int go_in(struct probe *probe, struct way_in *way, struct probe_request *request, struct failure *f)
{
	struct config config = { .cpus = probe->cpus, .capacity = probe->capacity };
	int error = open_kernel_btf(way, f);

	if (!error)
		error = object_open(&way->object, request->object, &way->arena, f);
	if (!error)
		error = resolve_attach_points(way, f);
	if (error)
		return error;
	error = attach_prev_argument(&way->kernel, f);
	if (error < 0)
		return error;
	config.prev_argument = (uint32_t)error;
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

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

static void leave(struct way_in *way)
{
	for (uint32_t i = 0; i < way->object.maps; i++)
		close_if_open(&way->object.map[i].fd);
	close_if_open(&way->object.constants_fd);
	free_memory(&way->arena);
	free_memory(&way->btf_arena);
}

/* The built-in object has been read for the last time: its pages need not stay. */
static void forget_object(void)
{
	uintptr_t page = start_facts()->page_size;
	uintptr_t from = ((uintptr_t)probe_object + page - 1) & -page, to = (uintptr_t)probe_object_end & -page;

	if (to > from)
		sys_madvise((void *)from, to - from, SYS_MADV_DONTNEED);
}

static void begin(struct probe *probe, struct probe_request *request)
{
	*probe = (struct probe){ .slots_map = -1, .sample = -1, .seed = -1 };
	for (unsigned i = 0; i < PROBE_LINKS_MAX; i++)
		probe->link[i] = -1;
	probe->cpus = machine_possible_cpus();
	probe->capacity = request->slots ? request->slots : machine_default_slots();
	/* whole pages, so that the last piece can be mapped */
	probe->capacity = round_up(probe->capacity, (uint32_t)(start_facts()->page_size / sizeof(struct slot)));
	if (!request->object.data)
		/* cppcheck-suppress comparePointers ; two labels of one section */
		request->object = (struct bytes){ probe_object, (size_t)(probe_object_end - probe_object) };
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
	way->object.constants_fd = -1;
	error = go_in(probe, way, request, f);
	leave(way);
	free_memory(&memory);
	forget_object();
	if (error)
		probe_unload(probe);
	return error;
}

void probe_seal(struct probe *probe)
{
	for (uint32_t i = 0; i < probe->programs; i++)
		if (probe->program[i] != probe->sample)
			close_if_open(&probe->program[i]);
	probe->programs = 0;
}

static void unmap(const void *memory, size_t size)
{
	if (memory)
		sys_munmap((void *)(uintptr_t)memory, size);
}

void probe_unload(struct probe *probe)
{
	for (unsigned i = 0; i < PROBE_LINKS_MAX; i++)
		close_if_open(&probe->link[i]);
	close_if_open(&probe->seed);
	probe_seal(probe);
	close_if_open(&probe->sample);
	close_if_open(&probe->slots_map);
	unmap(probe->slots, (size_t)probe->capacity * sizeof(struct slot));
	unmap(probe->running, probe->cpus * sizeof(struct running));
	unmap(probe->counters, sizeof(struct counters));
	unmap(probe->epoch, sizeof(struct epoch));
	*probe = (struct probe){ .slots_map = -1, .sample = -1, .seed = -1 };
}
