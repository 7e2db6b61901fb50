/* SPDX-License-Identifier: MIT */
#include "loader/landlock.h"

#include <stdint.h>

#include "loader/sys.h"

enum {	/* include/uapi/linux/landlock.h */
	CREATE_VERSION = 1,
	RULE_PATH_BENEATH = 1,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_REG = 1 << 8,
	FS_VERSION_1 = (1 << 13) - 1,
	FS_REFER = 1 << 13,		/* version 2 */
	FS_TRUNCATE = 1 << 14,		/* version 3 */
	FS_IOCTL_DEV = 1 << 15,		/* version 5 */
	NET_TCP = 3,			/* version 4: bind and connect */
	SCOPE_ALL = 3,			/* version 6: abstract sockets, signals */
};

struct attributes {
	uint64_t files, network, scope;
};

struct __attribute__((packed)) path_beneath {
	uint64_t allowed;
	int32_t parent;
};

int landlock_version(void)
{
	return sys_landlock_create(NULL, 0, CREATE_VERSION);
}

static int permit(int ruleset, int directory, uint64_t allowed)
{
	struct path_beneath rule = { .allowed = allowed, .parent = directory };

	return directory < 0 ? 0 : sys_landlock_add(ruleset, RULE_PATH_BENEATH, &rule);
}

int landlock_confine(int version, const int readable[LANDLOCK_FOLDERS], int replaced)
{
	struct attributes handled = {
		.files = FS_VERSION_1 | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0) |
			 (version >= 5 ? FS_IOCTL_DEV : 0),
		.network = version >= 4 ? NET_TCP : 0,
		.scope = version >= 6 ? SCOPE_ALL : 0,
	};
	size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
	int ruleset = sys_landlock_create(&handled, size, 0), error;
	uint64_t replace = FS_WRITE_FILE | FS_READ_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE;

	if (ruleset < 0)
		return ruleset;
	error = 0;
	for (unsigned i = 0; !error && i < LANDLOCK_FOLDERS; i++)
		error = permit(ruleset, readable[i], FS_READ_FILE | FS_READ_DIR);
	if (!error)
		error = permit(ruleset, replaced, replace & handled.files);
	if (!error)
		error = sys_landlock_restrict(ruleset);
	sys_close(ruleset);
	return error;
}
