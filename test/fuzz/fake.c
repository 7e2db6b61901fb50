/* SPDX-License-Identifier: MIT */
#include "test/fuzz/fake.h"

#include "loader/sys.h"

enum { LINKS_DEEP = 8, LINE_MAX = 6000 };

struct fake fake;
fuzz_system_call fuzz_system;
void (*fuzz_before_load)(void);

/* ---- the tree */

static int child_of(int parent, const char *name, size_t length)
{
	if (length >= sizeof fake.node[0].name)
		return -1;
	for (unsigned i = 1; i < fake.nodes; i++) {
		const struct fake_node *node = &fake.node[i];

		if (node->parent == parent && !node->gone && !memcmp(node->name, name, length) && !node->name[length])
			return (int)i;
	}
	return -1;
}

static int follow(int folder, const char *path, unsigned deep);

/* One part of a path. */
static int step(int folder, const char *name, size_t length, unsigned deep)
{
	int node;

	if (!length || (length == 1 && *name == '.'))
		return folder;
	if (length == 2 && !memcmp(name, "..", 2))
		return fake.node[folder].parent;
	if (fake.node[folder].kind != FAKE_FOLDER)
		return -1;
	node = child_of(folder, name, length);
	if (node >= 0 && fake.node[node].kind == FAKE_LINK && deep < LINKS_DEEP) {
		char target[256] = "";
		size_t size = fake.node[node].size < sizeof target - 1 ? fake.node[node].size : sizeof target - 1;

		if (size)
			memcpy(target, fake.node[node].content, size);
		return follow(folder, target, deep + 1);
	}
	return node;
}

static int follow(int folder, const char *path, unsigned deep)
{
	if (*path == '/')
		folder = FAKE_ROOT;
	while (*path && folder >= 0) {
		size_t length = strcspn(path, "/");

		folder = step(folder, path, length, deep);
		path += length;
		path += *path == '/';
	}
	return folder;
}

static int add_node(int parent, const char *name, size_t length, int kind)
{
	struct fake_node *node = &fake.node[fake.nodes];

	if (fake.nodes == FAKE_NODES_MAX || length >= sizeof node->name || memchr(name, 0, length))
		return -1;
	*node = (struct fake_node){ .kind = kind, .parent = (uint16_t)parent };
	memcpy(node->name, name, length);
	return (int)fake.nodes++;
}

/* The node of a path without links, made with all that leads there; -1 where there is no room, or a file is in the way. */
static int make(const char *path, size_t length, int kind)
{
	int node = FAKE_ROOT;

	while (length) {
		const char *slash = memchr(path, '/', length);
		size_t part = slash ? (size_t)(slash - path) : length;
		int next = part ? child_of(node, path, part) : node;

		if (fake.node[node].kind != FAKE_FOLDER || (part <= 2 && part && !memcmp(path, "..", part)))
			return -1;
		if (next < 0)
			next = add_node(node, path, part, part == length ? kind : FAKE_FOLDER);
		if (next < 0)
			return -1;
		node = next;
		path += part + (part < length);
		length -= part + (part < length);
	}
	return node;
}

static void put(const char *path, size_t length, int kind, const uint8_t *bytes, size_t size)
{
	int at = make(path, length, kind);
	struct fake_node *node = at > 0 ? &fake.node[at] : NULL;

	if (!node || node->kind == FAKE_FOLDER)
		return;
	free(node->content);
	node->kind = kind;
	node->content = exact_copy(bytes, size);
	node->size = size;
}

void fake_put(const char *path, const void *bytes, size_t size)
{
	put(path, strlen(path), FAKE_FILE, bytes, size);
}

static void take_away(const char *path)
{
	int at = follow(FAKE_ROOT, path, 0);

	if (at <= 0)
		return;
	fake.node[at].gone = true;
	for (unsigned i = 1; i < fake.nodes; i++)
		fake.node[i].gone |= fake.node[fake.node[i].parent].gone;
}

static size_t unescape(char *text, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	size_t to = 0;

	for (size_t i = 0; i < length; to++) {
		const char *high, *low;

		if (length - i >= 4 && text[i] == '\\' && text[i + 1] == 'x' && text[i + 2] && text[i + 3] &&
		    (high = strchr(digits, text[i + 2])) && (low = strchr(digits, text[i + 3]))) {
			text[to] = (char)((high - digits) << 4 | (low - digits));
			i += 4;
		} else {
			text[to] = text[i++];
		}
	}
	return to;
}

static char *find(char *line, const char *mark)
{
	return strstr(line, mark);
}

static void read_line(char *line, size_t length)
{
	char *at;

	if ((at = find(line, " -> "))) {
		put(line, (size_t)(at - line), FAKE_LINK, (uint8_t *)at + 4, strlen(at + 4));
	} else if ((at = find(line, " = "))) {
		size_t size = unescape(at + 3, length - (size_t)(at + 3 - line));

		if (size && size < FAKE_CONTENT_MAX)
			at[3 + size++] = '\n';	/* over the line's own end */
		put(line, (size_t)(at - line), FAKE_FILE, (uint8_t *)at + 3, size);
	} else if ((at = find(line, " /"))) {
		make(line, (size_t)(at - line), FAKE_FOLDER);
	} else if ((at = find(line, " -"))) {
		*at = 0;
		take_away(line);
	}
}

bool fake_part(struct feed *text)
{
	static char line[LINE_MAX + 2];
	int plan;

	if (!text->left)
		return false;
	while (text->left) {
		const uint8_t *end = memchr(text->at, '\n', text->left);
		size_t length = end ? (size_t)(end - text->at) : text->left, kept = length < LINE_MAX ? length : LINE_MAX;

		memcpy(line, text->at, kept);
		line[kept] = 0;
		text->at += length + (end != NULL);
		text->left -= length + (end != NULL);
		if (!strcmp(line, "@ later"))
			break;
		if (line[0] != '#')
			read_line(line, kept);
	}
	plan = fake_find("faults");
	if (plan > 0)
		fake.faults = feed_over(fake.node[plan].content, fake.node[plan].size);
	plan = fake_find("ticks");
	if (plan > 0)
		fake.ticks = feed_over(fake.node[plan].content, fake.node[plan].size);
	return true;
}

int fake_find(const char *path)
{
	return follow(FAKE_ROOT, path, 0);
}

const char *fake_string(const char *path, char *to, size_t size)
{
	int at = fake_find(path);
	const struct fake_node *node = at > 0 ? &fake.node[at] : NULL;
	size_t length;

	if (!node || node->kind != FAKE_FILE || !node->size)
		return NULL;
	length = node->size - 1 < size - 1 ? node->size - 1 : size - 1;	/* without the line feed */
	memcpy(to, node->content, length);
	to[length] = 0;
	return to;
}

/* ---- calls */

static uint64_t look_at_clock(void)
{
	if (fake.ticks.left)
		fake.now_ns += UINT64_C(1) << (feed_byte(&fake.ticks) & 0x1f);
	else
		fake.now_ns += 1000;
	return fake.now_ns;
}

uint64_t fake_clock(void)
{
	return look_at_clock();
}

long fake_fault(void)
{
	static const uint8_t errors[] = { SYS_EIO, SYS_ENODEV, SYS_EAGAIN, SYS_EINTR, SYS_ENOENT, SYS_EACCES, SYS_ENOMEM,
					  SYS_EINVAL, SYS_EISDIR, SYS_EOPNOTSUPP, SYS_EPERM, SYS_ESRCH };
	uint8_t byte = feed_byte(&fake.faults);

	if (byte < 0xe0)
		return 0;
	fake.faulty = true;
	return -(long)errors[byte % sizeof errors];
}

long fake_open_node(int node)
{
	for (unsigned i = 0; i < FAKE_OPEN_MAX; i++) {
		if (fake.open[i].used)
			continue;
		fake.open[i] = (struct fake_open){ .used = true, .node = (uint16_t)node };
		fake.opens++;
		return FAKE_FD_FIRST + i;
	}
	return -24;	/* EMFILE */
}

static struct fake_open *opened(long fd)
{
	/* nobody may use what is not open */
	MUST(fd >= FAKE_FD_FIRST && fd < FAKE_FD_FIRST + FAKE_OPEN_MAX && fake.open[fd - FAKE_FD_FIRST].used);
	return &fake.open[fd - FAKE_FD_FIRST];
}

static long do_open(long directory, const char *path)
{
	int from = *path == '/' || directory == SYS_AT_FDCWD ? FAKE_ROOT : opened(directory)->node, node;

	MUST(!fake.sealed);
	MUST(strlen(path) < 4096);
	node = follow(from, path, 0);
	if (node < 0)
		return -SYS_ENOENT;
	if (fake.watch)
		fake.watch((uint16_t)node, false);
	return fake_open_node(node);
}

static long do_read(struct fake_open *open, uint8_t *to, size_t size, size_t at, bool moves)
{
	const struct fake_node *node = &fake.node[open->node];

	if (fake.watch)
		fake.watch(open->node, true);
	if (node->gone)
		return -SYS_ENODEV;
	if (node->kind == FAKE_FOLDER)
		return -SYS_EISDIR;
	if (at >= node->size)
		return 0;
	if (size > node->size - at)
		size = node->size - at;
	memcpy(to, node->content + at, size);
	if (moves)
		open->at += size;
	return (long)size;
}

static long do_list(struct fake_open *open, uint8_t *to, size_t size)
{
	enum { HEADER = 19 };
	size_t used = 0;

	if (fake.node[open->node].kind != FAKE_FOLDER)
		return -20;	/* ENOTDIR */
	for (; open->at + 1 < fake.nodes; open->at++) {
		const struct fake_node *node = &fake.node[open->at + 1];
		size_t length = strlen(node->name) + 1, record = (HEADER + length + 7) / 8 * 8;
		uint16_t stored = (uint16_t)record;

		if (node->parent != open->node || node->gone)
			continue;
		if (record > size - used)
			return used ? (long)used : -SYS_EINVAL;
		memset(to + used, 0, record);
		memcpy(to + used + 16, &stored, sizeof stored);
		memcpy(to + used + HEADER, node->name, length);
		used += record;
	}
	return (long)used;
}

static long do_readlink(long directory, const char *path, char *to, size_t size)
{
	int from = directory == SYS_AT_FDCWD ? FAKE_ROOT : opened(directory)->node;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[256] = "";
	int node;

	if (slash && (size_t)(slash - path) < sizeof folder)
		memcpy(folder, path, (size_t)(slash - path));
	from = follow(from, folder, 0);
	node = from < 0 ? -1 : child_of(from, name, strlen(name));
	if (node < 0 || fake.node[node].kind != FAKE_LINK)
		return -SYS_ENOENT;
	if (size > fake.node[node].size)
		size = fake.node[node].size;
	memcpy(to, fake.node[node].content, size);
	return (long)size;
}

/* CLOCK_MONOTONIC and the like, or a process's CPU clock: ~pid << 3 | 2. */
static long do_clock(int clock, struct sys_timespec *now)
{
	char path[32], text[32];
	uint64_t ns;

	if (clock < 0) {
		snprintf(path, sizeof path, "proc/%u/clock", (unsigned)~(clock >> 3));
		if (!fake_string(path, text, sizeof text))
			return -SYS_EINVAL;
		ns = strtoull(text, NULL, 10);
	} else {
		ns = look_at_clock();
	}
	*now = (struct sys_timespec){ (int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000) };
	return 0;
}

static long do_sysinfo(struct sys_sysinfo *info)
{
	int at = fake_find("loads");
	struct feed feed = at > 0 ? feed_over(fake.node[at].content, fake.node[at].size) : feed_over(NULL, 0);

	memset(info, 0, sizeof *info);
	for (unsigned i = 0; i < 3; i++)
		info->loads[i] = feed_number(&feed);
	info->totalram = feed_number(&feed);
	info->mem_unit = (uint32_t)feed_number(&feed);
	return 0;
}

static long do_stat(long fd, uint8_t *stat)
{
	const struct fake_node *node = &fake.node[opened(fd)->node];
	uint32_t mode = node->kind == FAKE_FOLDER ? 0040755 : 0100644;
	int64_t size = (int64_t)node->size;

#if defined(__x86_64__)
	memcpy(stat + 24, &mode, sizeof mode);
#else
	memcpy(stat + 16, &mode, sizeof mode);
#endif
	memcpy(stat + 48, &size, sizeof size);
	return 0;
}

long fake_system(long number, long a, long b, long c, long d, long e, long f)
{
	const long argument[] = { a, b, c, d, e, f };
	long result, error;

	fake.calls++;
	if (fake.more && fake.more(number, argument, &result))
		return result;
	switch (number) {
	case NR_close:
		if (a < 0)	/* what was not opened */
			return -SYS_EBADF;
		opened(a)->used = false;
		fake.opens--;
		return 0;
	case NR_getpid: return FAKE_PID;
	case NR_clock_gettime: return do_clock((int)a, (struct sys_timespec *)b);
	case NR_sysinfo: return do_sysinfo((struct sys_sysinfo *)a);
	case NR_lseek: opened(a)->at = (size_t)b; return b;
	case NR_fstat: return do_stat(a, (uint8_t *)b);
	case NR_mmap:
		if (d & SYS_MAP_ANONYMOUS)
			return real_sys_call(number, a, b, c, d, e, f);
		return -SYS_ENODEV;
	case NR_munmap: return real_sys_call(number, a, b, c, d, e, f);
	case NR_madvise: return 0;
	default: break;
	}
	error = fake_fault();
	if (error)
		return error;
	switch (number) {
	case NR_openat: return do_open(a, (const char *)b);
	case NR_read: return do_read(opened(a), (uint8_t *)b, (size_t)c, opened(a)->at, true);
	case NR_pread64: return do_read(opened(a), (uint8_t *)b, (size_t)c, (size_t)d, false);
	case NR_getdents64: return do_list(opened(a), (uint8_t *)b, (size_t)c);
	case NR_readlinkat: return do_readlink(a, (const char *)b, (char *)c, (size_t)d);
	default: return -SYS_ENOSYS;
	}
}

int fake_root(void)
{
	return (int)fake_open_node(FAKE_ROOT);
}

void fake_begin(void)
{
	fake_end();
	fake = (struct fake){ .nodes = 1, .now_ns = 1000000000000 };
	fake.node[FAKE_ROOT].kind = FAKE_FOLDER;
	fuzz_system = fake_system;
}

void fake_end(void)
{
	for (unsigned i = 0; i < fake.nodes; i++)
		free(fake.node[i].content);
	fake.nodes = 0;
	fuzz_system = NULL;
}
