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

/*
 * .BTF.ext: of its three lists only the last, the CO-RE relocations, is read. Layout of the header (Linux,
 * Documentation/bpf/btf.rst): words 1 header size, 2-3 functions, 4-5 lines, 6-7 relocations, as offset and size.
 */
static void cut_lines(Elf64_Shdr *section, unsigned char *data)
{
	unsigned int word[8];

	memcpy(word, data, sizeof word);
	memmove(data + word[1], data + word[1] + word[6], word[7]);
	word[2] = word[3] = word[4] = word[5] = word[6] = 0;
	memcpy(data, word, sizeof word);
	section->sh_size = word[1] + word[7];
}

/* Drops the compiler's labels from the symbol table; relocations refer to maps and follow them to new indices. */
static void cut_labels(Elf64_Shdr *sections, unsigned count, unsigned char *data, const char *path)
{
	Elf64_Shdr *table = NULL;
	unsigned *moved_to, kept = 0;
	Elf64_Sym *symbols;
	const char *names;

	for (unsigned i = 1; i < count; i++)
		if (sections[i].sh_type == SHT_SYMTAB)
			table = &sections[i];
	if (!table)
		fail("no symbol table in", path);
	symbols = (Elf64_Sym *)(data + table->sh_offset);
	names = (const char *)data + sections[table->sh_link].sh_offset;
	moved_to = calloc(table->sh_size / sizeof *symbols, sizeof *moved_to);
	if (!moved_to)
		fail("no memory for", path);
	for (unsigned i = 0; i < table->sh_size / sizeof *symbols; i++) {
		if (!strncmp(names + symbols[i].st_name, "LBB", 3))
			continue;
		moved_to[i] = kept;
		symbols[kept] = symbols[i];
		if (ELF64_ST_BIND(symbols[i].st_info) == STB_LOCAL)
			table->sh_info = kept + 1;
		kept++;
	}
	table->sh_size = kept * sizeof *symbols;
	for (unsigned i = 1; i < count; i++) {
		Elf64_Rel *r = (Elf64_Rel *)(data + sections[i].sh_offset);

		for (unsigned k = 0; sections[i].sh_type == SHT_REL && k < sections[i].sh_size / sizeof *r; k++)
			r[k].r_info = ELF64_R_INFO((Elf64_Xword)moved_to[ELF64_R_SYM(r[k].r_info)],
						   ELF64_R_TYPE(r[k].r_info));
	}
	free(moved_to);
}

/* ---- strings that nothing refers to any more, blanked: zeros cost nothing once they are packed, and no offset changes */

static void keep_string(unsigned char *kept, const char *strings, size_t size, size_t at)
{
	for (; at < size; at++) {
		kept[at] = 1;
		if (!strings[at])
			break;
	}
}

static void blank(char *strings, size_t size, const unsigned char *kept)
{
	for (size_t i = 0; i < size; i++)
		if (!kept[i])
			strings[i] = 0;
}

static unsigned char *mark(size_t size, const char *path)
{
	unsigned char *kept = calloc(1, size + 1);

	if (!kept)
		fail("no memory for", path);
	return kept;
}

/* Names of symbols and sections; all string tables but the one of BTF. */
static void blank_names(const Elf64_Shdr *sections, unsigned count, unsigned table, unsigned char *data, const char *path)
{
	char *strings = (char *)data + sections[table].sh_offset;
	size_t size = sections[table].sh_size;
	unsigned char *kept = mark(size, path);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)data;

	for (unsigned i = 1; i < count; i++) {
		const Elf64_Sym *symbols = (const Elf64_Sym *)(data + sections[i].sh_offset);

		if (header->e_shstrndx == table && sections[i].sh_type != SHT_NULL)
			keep_string(kept, strings, size, sections[i].sh_name);
		for (unsigned k = 0; sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link == table &&
				     k < sections[i].sh_size / sizeof *symbols; k++)
			keep_string(kept, strings, size, symbols[k].st_name);
	}
	blank(strings, size, kept);
	free(kept);
}

/*
 * Words that follow a type's three, and how many words each of its members has, the first of which is a name (Linux,
 * Documentation/bpf/btf.rst). A function's parameters have names, an array's word triple has none.
 */
static const struct {
	unsigned char after, member;
} btf_kinds[] = {
	[1] = { 1, 0 }, [3] = { 3, 0 }, [4] = { 0, 3 },	 [5] = { 0, 3 },  [6] = { 0, 2 }, [13] = { 0, 2 },
	[14] = { 1, 0 }, [15] = { 0, 3 }, [17] = { 1, 0 }, [19] = { 0, 3 },
};

enum { BTF_DATASEC = 15 };	/* its members are of three words, none of them a name */

/* What the source lines in .BTF.ext referred to was the larger part of BTF's strings. */
static void blank_btf(unsigned char *btf, unsigned char *extension, const char *path)
{
	unsigned int *head = (unsigned int *)btf, *ext = (unsigned int *)extension;
	unsigned int *type = (unsigned int *)(btf + head[1] + head[2]), *end = type + head[3] / 4;
	char *strings = (char *)btf + head[1] + head[4];
	size_t size = head[5];
	unsigned char *kept = mark(size, path);
	unsigned int *relocation = (unsigned int *)(extension + ext[1] + ext[6]);
	unsigned int *last = relocation + ext[7] / 4;

	while (type < end) {
		unsigned kind = type[1] >> 24 & 31, members = type[1] & 0xffff;
		unsigned step = kind < sizeof btf_kinds / sizeof btf_kinds[0] ? btf_kinds[kind].member : 0;

		keep_string(kept, strings, size, type[0]);
		for (unsigned i = 0; i < members && step && kind != BTF_DATASEC; i++)
			keep_string(kept, strings, size, type[3 + step * i]);
		type += 3 + (kind < sizeof btf_kinds / sizeof btf_kinds[0] ? btf_kinds[kind].after : 0) + step * members;
	}
	/* a size, then for each section its name, a count, and so many times: offset, type, string, kind */
	for (relocation++; relocation < last;) {
		unsigned count = relocation[1];

		keep_string(kept, strings, size, relocation[0]);
		relocation += 2;
		for (unsigned i = 0; i < count; i++, relocation += 4)
			keep_string(kept, strings, size, relocation[2]);
	}
	blank(strings, size, kept);
	free(kept);
}

static void blank_strings(Elf64_Shdr *sections, unsigned count, unsigned char *data, const char *path)
{
	const char *names = (const char *)data + sections[((Elf64_Ehdr *)data)->e_shstrndx].sh_offset;
	unsigned char *btf = NULL, *extension = NULL;

	for (unsigned i = 1; i < count; i++) {
		if (!strcmp(names + sections[i].sh_name, ".BTF"))
			btf = data + sections[i].sh_offset;
		if (!strcmp(names + sections[i].sh_name, ".BTF.ext"))
			extension = data + sections[i].sh_offset;
	}
	if (!btf || !extension)
		fail("no BTF in", path);
	blank_btf(btf, extension, path);
	for (unsigned i = 1; i < count; i++)
		if (sections[i].sh_type == SHT_STRTAB)
			blank_names(sections, count, i, data, path);
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
		if (!is_kept(&sections[i], sections, names))
			memset(&sections[i], 0, sizeof sections[i]);
		else if (!strcmp(names + sections[i].sh_name, ".BTF.ext"))
			cut_lines(&sections[i], in + sections[i].sh_offset);
	}
	cut_labels(sections, header->e_shnum, in, argv[1]);
	blank_strings(sections, header->e_shnum, in, argv[1]);
	for (unsigned i = 1; i < header->e_shnum; i++) {
		Elf64_Shdr *s = &sections[i];

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
