/* SPDX-License-Identifier: MIT */
/*
 * The numbers and layouts of loader/sys.h, bpf.h, bpf_attr.h, elf.h, btf.h, core.h and probe/helpers.h, held against
 * the headers of the kernel and the C library. Where both use one name, ours gets a prefix.
 */
#define _GNU_SOURCE	/* O_PATH */
#include <asm/ioctls.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "test/unit/unit.h"

#define BPF_MAP_CREATE            our_BPF_MAP_CREATE
#define BPF_MAP_UPDATE_ELEM       our_BPF_MAP_UPDATE_ELEM
#define BPF_PROG_LOAD             our_BPF_PROG_LOAD
#define BPF_PROG_TEST_RUN         our_BPF_PROG_TEST_RUN
#define BPF_OBJ_GET_INFO_BY_FD    our_BPF_OBJ_GET_INFO_BY_FD
#define BPF_RAW_TRACEPOINT_OPEN   our_BPF_RAW_TRACEPOINT_OPEN
#define BPF_BTF_LOAD              our_BPF_BTF_LOAD
#define BPF_MAP_FREEZE            our_BPF_MAP_FREEZE
#define BPF_LINK_CREATE           our_BPF_LINK_CREATE
#define BPF_ENABLE_STATS          our_BPF_ENABLE_STATS
#define BPF_ITER_CREATE           our_BPF_ITER_CREATE
#define BPF_TRACE_RAW_TP          our_BPF_TRACE_RAW_TP
#define BPF_TRACE_ITER            our_BPF_TRACE_ITER
#define BPF_STATS_RUN_TIME        our_BPF_STATS_RUN_TIME
#define BPF_F_RDONLY_PROG         our_BPF_F_RDONLY_PROG
#define BPF_MAP_TYPE_HASH         our_BPF_MAP_TYPE_HASH
#define BPF_MAP_TYPE_QUEUE        our_BPF_MAP_TYPE_QUEUE
#define BPF_NOEXIST               our_BPF_NOEXIST
#define BPF_MAP_TYPE_ARRAY        our_BPF_MAP_TYPE_ARRAY
#define BPF_MAP_TYPE_STACK        our_BPF_MAP_TYPE_STACK
#define BPF_MAP_TYPE_TASK_STORAGE our_BPF_MAP_TYPE_TASK_STORAGE
#define BPF_F_NO_PREALLOC         our_BPF_F_NO_PREALLOC
#define BPF_F_MMAPABLE            our_BPF_F_MMAPABLE
#define BPF_STORAGE_GET_CREATE    our_BPF_STORAGE_GET_CREATE
#define btf_type                  our_btf_type
#define btf_member                our_btf_member
#define btf_array                 our_btf_array
#include "loader/bpf.h"
#include "loader/bpf_attr.h"
#include "loader/elf.h"
#include "loader/sys.h"
#include "probe/helpers.h"
#undef BPF_MAP_CREATE
#undef BPF_MAP_UPDATE_ELEM
#undef BPF_PROG_LOAD
#undef BPF_PROG_TEST_RUN
#undef BPF_OBJ_GET_INFO_BY_FD
#undef BPF_RAW_TRACEPOINT_OPEN
#undef BPF_BTF_LOAD
#undef BPF_MAP_FREEZE
#undef BPF_LINK_CREATE
#undef BPF_ENABLE_STATS
#undef BPF_ITER_CREATE
#undef BPF_TRACE_RAW_TP
#undef BPF_TRACE_ITER
#undef BPF_STATS_RUN_TIME
#undef BPF_F_RDONLY_PROG
#undef BPF_MAP_TYPE_HASH
#undef BPF_MAP_TYPE_QUEUE
#undef BPF_NOEXIST
#undef BPF_MAP_TYPE_ARRAY
#undef BPF_MAP_TYPE_STACK
#undef BPF_MAP_TYPE_TASK_STORAGE
#undef BPF_F_NO_PREALLOC
#undef BPF_F_MMAPABLE
#undef BPF_STORAGE_GET_CREATE

struct pair {
	const char *name;
	int64_t ours, theirs;
};

static void check_pairs(const struct pair *pairs, size_t count)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		if (pairs[i].ours == pairs[i].theirs)
			continue;
		print_error("%s: %lld, not %lld\n", pairs[i].name, (long long)pairs[i].ours,
			    (long long)pairs[i].theirs);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void system_calls(void **state)
{
#define CALL(name)                           \
	{                                    \
#name, NR_##name, SYS_##name \
	}
	static const struct pair pairs[] = {
		CALL(ioctl),
		CALL(openat),
		CALL(close),
		CALL(getdents64),
		CALL(lseek),
		CALL(read),
		CALL(write),
		CALL(pread64),
		CALL(ppoll),
		CALL(signalfd4),
		CALL(readlinkat),
		CALL(fstat),
		CALL(timerfd_create),
		CALL(timerfd_settime),
		CALL(capget),
		CALL(exit_group),
		CALL(clock_gettime),
		CALL(rt_sigaction),
		CALL(rt_sigprocmask),
		CALL(uname),
		CALL(prctl),
		CALL(getpid),
		CALL(sysinfo),
		CALL(munmap),
		CALL(mmap),
		CALL(mprotect),
		CALL(perf_event_open),
		CALL(prlimit64),
		CALL(fsopen),
		CALL(fsconfig),
		CALL(fsmount),
		CALL(bpf),
		CALL(madvise),
		CALL(seccomp),
		CALL(renameat),
		CALL(unlinkat),
		CALL(umask),
		CALL(capset),
		CALL(restart_syscall),
		CALL(close_range),
		CALL(landlock_create_ruleset),
		CALL(landlock_add_rule),
		CALL(landlock_restrict_self),
	};

	(void)state;
	check_pairs(pairs, COUNT_OF(pairs));
}

static void constants(void **state)
{
#define SAME(name)                      \
	{                               \
#name, SYS_##name, name \
	}
	static const struct pair pairs[] = {
		SAME(EPERM),
		SAME(ENOENT),
		SAME(ESRCH),
		SAME(EINTR),
		SAME(EIO),
		SAME(ENXIO),
		SAME(E2BIG),
		SAME(EBADF),
		SAME(EAGAIN),
		SAME(ENOMEM),
		SAME(EACCES),
		SAME(EEXIST),
		SAME(ENODEV),
		SAME(EISDIR),
		SAME(EINVAL),
		SAME(ENFILE),
		SAME(EMFILE),
		SAME(ENOTTY),
		SAME(ENOSPC),
		SAME(EPIPE),
		SAME(ERANGE),
		SAME(ENAMETOOLONG),
		SAME(ENOSYS),
		SAME(ENODATA),
		SAME(EPROTO),
		SAME(EOVERFLOW),
		SAME(EOPNOTSUPP),
		SAME(AT_FDCWD),
		SAME(O_RDONLY),
		SAME(O_WRONLY),
		SAME(O_RDWR),
		SAME(O_CREAT),
		SAME(O_EXCL),
		SAME(O_CLOEXEC),
		SAME(O_NONBLOCK),
		SAME(PROT_NONE),
		SAME(PROT_READ),
		SAME(PROT_WRITE),
		SAME(MAP_SHARED),
		SAME(MAP_PRIVATE),
		SAME(MAP_FIXED),
		SAME(MAP_ANONYMOUS),
		SAME(MAP_NORESERVE), SAME(MADV_DONTNEED),
		SAME(CLOCK_REALTIME),
		SAME(CLOCK_MONOTONIC),
		SAME(CLOCK_BOOTTIME),
		SAME(SEEK_SET),
		SAME(POLLIN),
		SAME(POLLOUT),
		SAME(POLLERR),
		SAME(POLLHUP),
		SAME(POLLNVAL),
		SAME(SIG_BLOCK),
		SAME(SIG_SETMASK),
		SAME(SIGUSR1),
		SAME(SIGUSR2),
		SAME(SIGPIPE),
		SAME(SIGTERM),
		SAME(PR_SET_PDEATHSIG),
		SAME(PR_SET_DUMPABLE),
		SAME(PR_CAPBSET_DROP),
		SAME(PR_SET_NO_NEW_PRIVS),
		SAME(PR_CAP_AMBIENT),
		SAME(PR_CAP_AMBIENT_CLEAR_ALL),
		SAME(O_PATH),
		SAME(TCSETS),
		SAME(TIOCGPGRP),
		SAME(SIGQUIT), SAME(SIGCHLD), SAME(SIGCONT), SAME(SIGTSTP), SAME(SIGTTIN), SAME(SIGTTOU), SAME(SIGWINCH),
		SAME(PR_SET_NAME), SAME(IXON), SAME(ICANON), SAME(ECHO), SAME(VTIME), SAME(VMIN),
		SAME(TIOCGWINSZ),
	};
	static const struct pair others[] = {
		{ "S_IFMT", SYS_S_IFMT, S_IFMT },
		{ "S_IFIFO", SYS_S_IFIFO, S_IFIFO },
		{ "S_IFREG", SYS_S_IFREG, S_IFREG },
		{ "TCGETS", SYS_TCGETS, TCGETS },
#if defined(__x86_64__)
		{ "ARCH_ELF_MACHINE", ARCH_ELF_MACHINE, EM_X86_64 },
		{ "ARCH_RELOC_RELATIVE", ARCH_RELOC_RELATIVE, R_X86_64_RELATIVE },
#else
		{ "ARCH_ELF_MACHINE", ARCH_ELF_MACHINE, EM_AARCH64 },
		{ "ARCH_RELOC_RELATIVE", ARCH_RELOC_RELATIVE, R_AARCH64_RELATIVE },
#endif
		{ "RLIMIT_MEMLOCK", SYS_RLIMIT_MEMLOCK, RLIMIT_MEMLOCK },
		{ "FSOPEN_CLOEXEC", SYS_FSOPEN_CLOEXEC, 1 },	/* linux/mount.h, which sys/mount.h contradicts */
		{ "PERF_TYPE_TRACEPOINT", SYS_PERF_TYPE_TRACEPOINT, PERF_TYPE_TRACEPOINT },
		{ "PERF_FLAG_FD_CLOEXEC", SYS_PERF_FLAG_FD_CLOEXEC, PERF_FLAG_FD_CLOEXEC },
		{ "PERF_EVENT_IOC_ENABLE", SYS_PERF_IOC_ENABLE, PERF_EVENT_IOC_ENABLE },
		{ "PERF_EVENT_IOC_SET_BPF", SYS_PERF_IOC_SET_BPF, PERF_EVENT_IOC_SET_BPF },
		{ "struct perf_event_attr", sizeof(struct sys_perf_event), PERF_ATTR_SIZE_VER0 },
		{ "its config", offsetof(struct sys_perf_event, config), offsetof(struct perf_event_attr, config) },
		{ "struct rlimit", sizeof(struct sys_rlimit), sizeof(struct rlimit) },
		{ "TFD_NONBLOCK", SYS_O_NONBLOCK, TFD_NONBLOCK },
		{ "SFD_CLOEXEC", SYS_O_CLOEXEC, SFD_CLOEXEC },
	};

	(void)state;
	check_pairs(pairs, COUNT_OF(pairs));
	check_pairs(others, COUNT_OF(others));
}

static void bpf_constants(void **state)
{
#define OURS(name)                      \
	{                               \
#name, our_##name, name \
	}
#define HELPER(ours, theirs)                                         \
	{                                                            \
#theirs, (int64_t)(uintptr_t)ours, BPF_FUNC_##theirs \
	}
	const struct pair pairs[] = {
		OURS(BPF_MAP_CREATE),
		OURS(BPF_MAP_UPDATE_ELEM),
		OURS(BPF_PROG_LOAD),
		OURS(BPF_PROG_TEST_RUN),
		OURS(BPF_OBJ_GET_INFO_BY_FD),
		OURS(BPF_RAW_TRACEPOINT_OPEN),
		OURS(BPF_BTF_LOAD),
		OURS(BPF_MAP_FREEZE),
		OURS(BPF_LINK_CREATE),
		OURS(BPF_ENABLE_STATS),
		OURS(BPF_ITER_CREATE),
		OURS(BPF_TRACE_RAW_TP),
		OURS(BPF_TRACE_ITER),
		OURS(BPF_STATS_RUN_TIME),
		OURS(BPF_F_RDONLY_PROG),
		OURS(BPF_MAP_TYPE_HASH),
		OURS(BPF_MAP_TYPE_QUEUE),
		OURS(BPF_NOEXIST),
		OURS(BPF_MAP_TYPE_ARRAY),
		OURS(BPF_MAP_TYPE_STACK),
		OURS(BPF_MAP_TYPE_TASK_STORAGE),
		OURS(BPF_F_NO_PREALLOC),
		OURS(BPF_F_MMAPABLE),
		{ "BPF_LOCAL_STORAGE_GET_F_CREATE", our_BPF_STORAGE_GET_CREATE,
		  BPF_LOCAL_STORAGE_GET_F_CREATE },
		{ "raw tracepoint", BPF_PROG_RAW_TRACEPOINT, BPF_PROG_TYPE_RAW_TRACEPOINT },
		{ "tracepoint", BPF_PROG_TRACEPOINT, BPF_PROG_TYPE_TRACEPOINT },
		{ "tracing", BPF_PROG_TRACING, BPF_PROG_TYPE_TRACING },
		{ "name", ATTR_NAME_SIZE, BPF_OBJ_NAME_LEN },
		HELPER(map_lookup, map_lookup_elem),
		HELPER(map_update, map_update_elem),
		HELPER(map_delete, map_delete_elem),
		HELPER(clock_ns, ktime_get_ns),
		HELPER(current_task, get_current_task),
		HELPER(this_cpu, get_smp_processor_id),
		HELPER(map_push, map_push_elem),
		HELPER(map_pop, map_pop_elem),
		HELPER(probe_read_kernel, probe_read_kernel),
		HELPER(jiffies64, jiffies64),
		HELPER(storage_get, task_storage_get),
		{ "field offset", CORE_FIELD_OFFSET, BPF_CORE_FIELD_BYTE_OFFSET },
		{ "field size", CORE_FIELD_SIZE, BPF_CORE_FIELD_BYTE_SIZE },
		{ "field exists", CORE_FIELD_EXISTS, BPF_CORE_FIELD_EXISTS },
		{ "type exists", CORE_TYPE_EXISTS, BPF_CORE_TYPE_EXISTS },
		{ "type size", CORE_TYPE_SIZE, BPF_CORE_TYPE_SIZE },
		{ "enumerator exists", CORE_ENUMERATOR_EXISTS, BPF_CORE_ENUMVAL_EXISTS },
		{ "enumerator value", CORE_ENUMERATOR_VALUE, BPF_CORE_ENUMVAL_VALUE },
	};

	(void)state;
	check_pairs(pairs, COUNT_OF(pairs));
}

static void formats(void **state)
{
#define KIND(name)                                 \
	{                                          \
#name, BTF_##name, BTF_KIND_##name \
	}
	static const struct pair pairs[] = {
		{ "SHT_PROGBITS", ELF_PROGBITS, SHT_PROGBITS },
		{ "SHT_SYMTAB", ELF_SYMTAB, SHT_SYMTAB },
		{ "SHT_STRTAB", ELF_STRTAB, SHT_STRTAB },
		{ "SHT_REL", ELF_REL, SHT_REL },
		{ "SHF_EXECINSTR", ELF_EXECINSTR, SHF_EXECINSTR },
		{ "STT_FUNC", ELF_FUNC, STT_FUNC },
		{ "STT_OBJECT", ELF_OBJECT, STT_OBJECT },
		{ "void", BTF_VOID, BTF_KIND_UNKN },
		KIND(INT),
		KIND(PTR),
		KIND(ARRAY),
		KIND(STRUCT),
		KIND(UNION),
		KIND(ENUM),
		KIND(FWD),
		KIND(TYPEDEF),
		KIND(VOLATILE),
		KIND(CONST),
		KIND(RESTRICT),
		KIND(FUNC),
		KIND(FUNC_PROTO),
		KIND(VAR),
		KIND(DATASEC),
		KIND(FLOAT),
		KIND(DECL_TAG),
		KIND(TYPE_TAG),
		KIND(ENUM64),
		{ "kinds", BTF_KINDS, NR_BTF_KINDS },
	};

	(void)state;
	check_pairs(pairs, COUNT_OF(pairs));
}

#define SIZE(ours, theirs)                          \
	{                                           \
#ours, sizeof(ours), sizeof(theirs) \
	}
#define AT(ours, our_member, theirs, member)                                                \
	{                                                                                   \
#ours "." #our_member, offsetof(ours, our_member), offsetof(theirs, member) \
	}

static void system_layouts(void **state)
{
	static const struct pair pairs[] = {
		SIZE(struct sys_timespec, struct timespec),
		AT(struct sys_timespec, nanoseconds, struct timespec, tv_nsec),
		SIZE(struct sys_itimerspec, struct itimerspec),
		AT(struct sys_itimerspec, value, struct itimerspec, it_value),
		SIZE(struct sys_pollfd, struct pollfd),
		AT(struct sys_pollfd, events, struct pollfd, events),
		AT(struct sys_pollfd, revents, struct pollfd, revents),
		SIZE(struct sys_sysinfo, struct sysinfo),
		AT(struct sys_sysinfo, loads, struct sysinfo, loads),
		AT(struct sys_sysinfo, totalram, struct sysinfo, totalram),
		AT(struct sys_sysinfo, freeram, struct sysinfo, freeram),
		AT(struct sys_sysinfo, totalswap, struct sysinfo, totalswap),
		AT(struct sys_sysinfo, freeswap, struct sysinfo, freeswap),
		AT(struct sys_sysinfo, procs, struct sysinfo, procs),
		AT(struct sys_sysinfo, mem_unit, struct sysinfo, mem_unit),
		SIZE(struct sys_signalfd_siginfo, struct signalfd_siginfo),
		AT(struct sys_signalfd_siginfo, signal, struct signalfd_siginfo, ssi_signo),
		SIZE(struct sys_utsname, struct utsname),
		AT(struct sys_utsname, release, struct utsname, release),
		AT(struct sys_utsname, machine, struct utsname, machine),
		{ "struct sys_capability", sizeof(struct sys_capability),
		  _LINUX_CAPABILITY_U32S_3 * sizeof(struct __user_cap_data_struct) },
		{ "capability.permitted", offsetof(struct sys_capability, word[0].permitted),
		  offsetof(struct __user_cap_data_struct, permitted) },
		SIZE(struct instruction, struct bpf_insn),
		AT(struct instruction, offset, struct bpf_insn, off),
		AT(struct instruction, immediate, struct bpf_insn, imm),
		SIZE(struct core_relocation, struct bpf_core_relo),
		AT(struct core_relocation, instruction_at, struct bpf_core_relo, insn_off),
		AT(struct core_relocation, type, struct bpf_core_relo, type_id),
		AT(struct core_relocation, path_at, struct bpf_core_relo, access_str_off),
		AT(struct core_relocation, kind, struct bpf_core_relo, kind),
	};

	(void)state;
	check_pairs(pairs, COUNT_OF(pairs));
}

/* The kernel refuses what it does not know behind the end, so a size may be at most the union's. */
static void bpf_layouts(void **state)
{
#define CREATE(member)  AT(struct attr_map_create, member, union bpf_attr, member)
#define ELEMENT(member) AT(struct attr_map_element, member, union bpf_attr, member)
#define LOAD(member)    AT(struct attr_prog_load, member, union bpf_attr, member)
#define BTF(member)     AT(struct attr_btf_load, member, union bpf_attr, member)
#define INFO(member)    AT(struct attr_info, member, union bpf_attr, info.member)
#define TEST(member)    AT(struct attr_test_run, member, union bpf_attr, test.member)
#define RAW(member)     AT(struct attr_raw_tracepoint, member, union bpf_attr, raw_tracepoint.member)
#define LINK(member)    AT(struct attr_link_create, member, union bpf_attr, link_create.member)
#define ITER(member)    AT(struct attr_iter_create, member, union bpf_attr, iter_create.member)
#define PROG(member)    AT(struct info_prog, member, struct bpf_prog_info, member)
	static const struct pair pairs[] = {
		CREATE(map_type),
		CREATE(key_size),
		CREATE(value_size),
		CREATE(max_entries),
		CREATE(map_flags),
		CREATE(inner_map_fd),
		CREATE(numa_node),
		CREATE(map_name),
		CREATE(map_ifindex),
		CREATE(btf_fd),
		CREATE(btf_key_type_id),
		CREATE(btf_value_type_id),
		ELEMENT(map_fd),
		ELEMENT(key),
		ELEMENT(value),
		ELEMENT(flags),
		LOAD(prog_type),
		LOAD(insn_cnt),
		LOAD(insns),
		LOAD(license),
		LOAD(log_level),
		LOAD(log_size),
		LOAD(log_buf),
		LOAD(kern_version),
		LOAD(prog_flags),
		LOAD(prog_name),
		LOAD(prog_ifindex),
		LOAD(expected_attach_type),
		LOAD(prog_btf_fd),
		LOAD(func_info_rec_size),
		LOAD(func_info),
		LOAD(func_info_cnt),
		LOAD(line_info_rec_size),
		LOAD(line_info),
		LOAD(line_info_cnt),
		LOAD(attach_btf_id),
		BTF(btf),
		BTF(btf_log_buf),
		BTF(btf_size),
		BTF(btf_log_size),
		BTF(btf_log_level),
		INFO(bpf_fd),
		INFO(info_len),
		INFO(info),
		TEST(prog_fd),
		TEST(retval),
		TEST(data_size_in),
		TEST(data_size_out),
		TEST(data_in),
		TEST(data_out),
		TEST(repeat),
		TEST(duration),
		TEST(ctx_size_in),
		TEST(ctx_size_out),
		TEST(ctx_in),
		TEST(ctx_out),
		TEST(flags),
		TEST(cpu),
		TEST(batch_size),
		RAW(name),
		RAW(prog_fd),
		LINK(prog_fd),
		LINK(target_fd),
		LINK(attach_type),
		LINK(flags),
		ITER(link_fd),
		ITER(flags),
		AT(struct attr_enable_stats, type, union bpf_attr, enable_stats.type),
		PROG(type),
		PROG(id),
		PROG(tag),
		PROG(jited_prog_len),
		PROG(xlated_prog_len),
		PROG(jited_prog_insns),
		PROG(xlated_prog_insns),
		PROG(load_time),
		PROG(created_by_uid),
		PROG(nr_map_ids),
		PROG(map_ids),
		PROG(name),
		PROG(ifindex),
		PROG(netns_dev),
		PROG(netns_ino),
		PROG(nr_jited_ksyms),
		PROG(nr_jited_func_lens),
		PROG(jited_ksyms),
		PROG(jited_func_lens),
		PROG(btf_id),
		PROG(func_info_rec_size),
		PROG(func_info),
		PROG(nr_func_info),
		PROG(nr_line_info),
		PROG(line_info),
		PROG(jited_line_info),
		PROG(nr_jited_line_info),
		PROG(line_info_rec_size),
		PROG(jited_line_info_rec_size),
		PROG(nr_prog_tags),
		PROG(prog_tags),
		PROG(run_time_ns),
		PROG(run_cnt),
		PROG(recursion_misses),
		PROG(verified_insns),
		PROG(attach_btf_obj_id),
		PROG(attach_btf_id),
		SIZE(struct info_prog, struct bpf_prog_info),
	};

	(void)state;
	check_pairs(pairs, COUNT_OF(pairs));
	assert_true(sizeof(struct attr_prog_load) <= sizeof(union bpf_attr));
	assert_true(sizeof(struct attr_map_create) <= sizeof(union bpf_attr));
	/* nothing but padding that is zero may lie behind the last field we know */
	assert_int_equal(sizeof(struct attr_btf_load), offsetof(union bpf_attr, btf_log_level) + 8);
	assert_int_equal(sizeof(struct attr_test_run), sizeof(((union bpf_attr *)0)->test));
}

/* The calls themselves: the same answers as the C library's, and -errno where that sets errno. */
static void calls(void **state)
{
	struct sys_utsname ours;
	struct utsname theirs;
	struct sys_sysinfo info;
	struct sysinfo their_info;
	struct sys_timespec now = { 0 };
	struct timespec before, after;
	char path[] = "/tmp/rstat-unit-XXXXXX", data[8];
	int fd = mkstemp(path);
	struct stat stat_buffer;
	uint32_t mode;
	int64_t size;
	void *memory;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sys_write(fd, "0123456789", 10), 10);
	assert_int_equal(sys_pread(fd, data, 4, 3), 4);
	assert_memory_equal(data, "3456", 4);
	assert_int_equal(sys_fstat(fd, &mode, &size), 0);
	assert_int_equal(fstat(fd, &stat_buffer), 0);
	assert_int_equal(mode, stat_buffer.st_mode);
	assert_int_equal(size, 10);
	assert_int_equal(sys_fstat(-1, &mode, &size), -EBADF);
	assert_int_equal(sys_close(fd), 0);
	assert_int_equal(sys_close(fd), -EBADF);
	fd = sys_open(path, SYS_O_RDONLY);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(sys_read(fd, data, sizeof data), 8);
	assert_int_equal(sys_write(fd, data, 1), -EBADF);
	sys_close(fd);
	unlink(path);
	assert_int_equal(sys_open(path, SYS_O_RDONLY), -ENOENT);

	memory = sys_mmap(NULL, 4096, SYS_PROT_READ | SYS_PROT_WRITE,
			  SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
	assert_int_equal(sys_failed(memory), 0);
	memset(memory, 1, 4096);
	assert_int_equal(sys_munmap(memory, 4096), 0);
	assert_int_equal(sys_failed(sys_mmap(NULL, 0, 0, SYS_MAP_PRIVATE, -1, 0)), -EBADF);
	assert_int_equal(sys_failed((void *)-4095L), -4095);
	assert_int_equal(sys_failed((void *)-4096L), 0);

	assert_int_equal(sys_uname(&ours), 0);
	assert_int_equal(uname(&theirs), 0);
	assert_string_equal(ours.release, theirs.release);
	assert_string_equal(ours.machine, theirs.machine);
	assert_int_equal(sys_sysinfo(&info), 0);
	assert_int_equal(sysinfo(&their_info), 0);
	assert_int_equal(info.totalram, their_info.totalram);
	assert_int_equal(info.totalswap, their_info.totalswap);
	assert_int_equal(info.mem_unit, their_info.mem_unit);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(sys_clock_gettime(SYS_CLOCK_MONOTONIC, &now), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(now.seconds, before.tv_sec, after.tv_sec);
	assert_in_range(now.nanoseconds, 0, 999999999);
	assert_int_equal(sys_getpid(), getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_calls),   cmocka_unit_test(constants),
		cmocka_unit_test(bpf_constants),  cmocka_unit_test(formats),
		cmocka_unit_test(system_layouts), cmocka_unit_test(bpf_layouts),
		cmocka_unit_test(calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
