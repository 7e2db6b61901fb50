/* SPDX-License-Identifier: MIT */
/*
 * trim IN OUT: cuts a BPF object down to the sections that the loader reads (GNU strip refuses BPF objects). Runs
 * on the build host. The number of sections stays, those cut become SHT_NULL, so that no index changes; the
 * input comes from the compiler and is trusted.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *what, const char *path)
{
	fprintf(stderr, "trim: %s %s\n", what, path);
	exit(1);
}

static unsigned char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	unsigned char *data;
	long end;

	if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < (long)sizeof(Elf64_Ehdr))
		fail("cannot read", path);
	rewind(file);
	data = malloc((size_t)end);
	if (!data || fread(data, 1, (size_t)end, file) != (size_t)end)
		fail("cannot read", path);
	fclose(file);
	*size = (size_t)end;
	return data;
}

static int is_kept(const Elf64_Shdr *section, const Elf64_Shdr *all, const char *names)
{
	const char *name = names + section->sh_name;

	if (section->sh_type == SHT_REL)	/* of programs only: BTF needs none for a loader of maps by name */
		return all[section->sh_info].sh_flags & SHF_EXECINSTR && all[section->sh_info].sh_size;
	if (section->sh_type == SHT_SYMTAB || section->sh_type == SHT_STRTAB)
		return 1;
	if (section->sh_type != SHT_PROGBITS || !section->sh_size)
		return 0;
	return section->sh_flags & SHF_ALLOC ? strncmp(name, ".eh_frame", 9) != 0 :
					       !strcmp(name, ".BTF") || !strcmp(name, ".BTF.ext");
}

int main(int argc, char **argv)
{
	size_t size, end = sizeof(Elf64_Ehdr);
	unsigned char *in, *out;
	Elf64_Ehdr *header;
	Elf64_Shdr *sections;
	const char *names;
	FILE *file;

	if (argc != 3)
		fail("usage:", "trim IN OUT");
	in = read_all(argv[1], &size);
	header = (Elf64_Ehdr *)in;
	sections = (Elf64_Shdr *)(in + header->e_shoff);
	names = (const char *)in + sections[header->e_shstrndx].sh_offset;
	out = calloc(1, size + 16 * (size_t)header->e_shnum);
	if (!out)
		fail("no memory for", argv[2]);
	for (unsigned i = 1; i < header->e_shnum; i++) {
		Elf64_Shdr *s = &sections[i];

		if (!is_kept(s, sections, names)) {
			memset(s, 0, sizeof *s);
			continue;
		}
		end = (end + 7) & ~(size_t)7;
		memcpy(out + end, in + s->sh_offset, s->sh_size);
		s->sh_offset = end;
		end += s->sh_size;
	}
	end = (end + 7) & ~(size_t)7;
	header->e_shoff = end;
	memcpy(out, header, sizeof *header);
	memcpy(out + end, sections, header->e_shnum * sizeof *sections);
	end += header->e_shnum * sizeof *sections;
	file = fopen(argv[2], "wb");
	if (!file || fwrite(out, 1, end, file) != end || fclose(file))
		fail("cannot write", argv[2]);
	free(out);
	free(in);
	return 0;
}
