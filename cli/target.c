/* SPDX-License-Identifier: MIT */
/*
 * The program to be run: found in PATH, and looked at before it is executed,
 * because the dynamic loader ignores an object it cannot preload without a
 * word, and a run that silently sees nothing is worse than none.
 */
#include "cli.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The file, mapped read-only. */
struct file {
	const char *path;
	const unsigned char *data;
	size_t size;
};

static bool is_file(const char *path, struct stat *st)
{
	return !stat(path, st) && S_ISREG(st->st_mode);
}

static void must_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		die(errno == ENOENT || errno == ENOTDIR ? EXIT_NOT_FOUND
							: EXIT_NOT_EXECUTABLE,
		    "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		die(EXIT_NOT_EXECUTABLE, "%s: is a directory", path);
	if (access(path, X_OK))
		die(EXIT_NOT_EXECUTABLE, "%s: %s", path, strerror(errno));
}

static void find(char *to, size_t size, const char *prog)
{
	const char *path = getenv("PATH");
	struct stat st;

	if (strchr(prog, '/')) {
		snprintf(to, size, "%s", prog);
		must_execute(to);
		return;
	}
	if (!path)
		path = "/bin:/usr/bin";
	while (*prog) {
		int len = strcspn(path, ":");
		snprintf(to, size, "%.*s%s%s", len, path, len ? "/" : "./",
			 prog);
		if (is_file(to, &st) && !access(to, X_OK))
			return;
		path += len;
		if (!*path++)
			break;
	}
	die(EXIT_NOT_FOUND, "%s: not found in PATH", prog);
}

/* ---- what the loader would make of it --------------------------------- */

static bool inside(const struct file *f, uint64_t at, uint64_t len)
{
	return at <= f->size && len <= f->size - at;
}

static const Elf64_Phdr *segment(const struct file *f, unsigned type)
{
	const Elf64_Ehdr *e = (const void *)f->data;

	for (int i = 0; i < e->e_phnum; i++) {
		uint64_t at = e->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
		const Elf64_Phdr *p = (const void *)(f->data + at);
		if (!inside(f, at, sizeof *p))
			return NULL;
		if (p->p_type == type && inside(f, p->p_offset, p->p_filesz))
			return p;
	}
	return NULL;
}

/* Where in the file the loader finds a virtual address; 0: nowhere. */
static uint64_t file_offset(const struct file *f, uint64_t address)
{
	const Elf64_Ehdr *e = (const void *)f->data;

	for (int i = 0; i < e->e_phnum; i++) {
		uint64_t at = e->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
		const Elf64_Phdr *p = (const void *)(f->data + at);
		if (!inside(f, at, sizeof *p))
			return 0;
		if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz)
			return address - p->p_vaddr + p->p_offset;
	}
	return 0;
}

/* The name of the n-th library needed, or NULL. */
static const char *needed(const struct file *f, int n)
{
	const Elf64_Phdr *dynamic = segment(f, PT_DYNAMIC);
	const Elf64_Dyn *d;
	uint64_t strings = 0, name = 0;

	if (!dynamic)
		return NULL;
	d = (const void *)(f->data + dynamic->p_offset);
	for (size_t i = 0; i < dynamic->p_filesz / sizeof *d; i++) {
		if (d[i].d_tag == DT_STRTAB)
			strings = file_offset(f, d[i].d_un.d_ptr);
		if (d[i].d_tag == DT_NEEDED && !n--)
			name = d[i].d_un.d_val;
	}
	if (!strings || !name || !inside(f, strings + name, 1) ||
	    !memchr(f->data + strings + name, 0, f->size - strings - name))
		return NULL;
	return (const char *)f->data + strings + name;
}

static bool has_section(const struct file *f, const char *name)
{
	const Elf64_Ehdr *e = (const void *)f->data;
	const Elf64_Shdr *s = (const void *)(f->data + e->e_shoff);

	if (!e->e_shoff || e->e_shstrndx >= e->e_shnum ||
	    !inside(f, e->e_shoff, (uint64_t)e->e_shnum * sizeof *s))
		return false;
	for (int i = 0; i < e->e_shnum; i++) {
		uint64_t at = s[e->e_shstrndx].sh_offset + s[i].sh_name;
		if (inside(f, at, strlen(name) + 1) &&
		    !strcmp((const char *)f->data + at, name))
			return true;
	}
	return false;
}

static void check_elf(struct target *t, const struct file *f)
{
	const Elf64_Ehdr *e = (const void *)f->data, *own;
	const Elf64_Phdr *interp;
	struct file self = { .path = "/proc/self/exe" };
	const char *lib;
	int fd;

	if (f->size < sizeof *e || e->e_ident[EI_CLASS] != ELFCLASS64)
		die(EXIT_OURS, "%s: not a 64-bit program: the preloaded object "
		    "would not load", f->path);
	fd = open(self.path, O_RDONLY | O_CLOEXEC);
	own = mmap(NULL, sizeof *own, PROT_READ, MAP_PRIVATE, fd, 0);
	if (own != MAP_FAILED && own->e_machine != e->e_machine)
		die(EXIT_OURS, "%s: for another kind of processor", f->path);
	close(fd);
	interp = segment(f, PT_INTERP);
	t->go = has_section(f, ".note.go.buildid") ||
		has_section(f, ".go.buildinfo");
	if (!interp)
		die(EXIT_OURS, "%s: statically linked%s: no object can be "
		    "preloaded into it", f->path,
		    t->go ? " (a Go program without cgo)" : "");
	for (int n = 0; (lib = needed(f, n)); n++)
		if (!strncmp(lib, "libasan.so", 10))
			t->runtime = strdup(lib);
}

/* The loader ignores LD_PRELOAD where a program gets rights by being run. */
static void check_rights(const struct file *f, const struct stat *st)
{
	bool uid = st->st_mode & S_ISUID && st->st_uid != getuid();
	bool gid = st->st_mode & S_ISGID && st->st_mode & S_IXGRP &&
		   st->st_gid != getgid();

	if (uid || gid)
		die(EXIT_OURS, "%s: set-%s-ID program: the loader ignores "
		    "preloaded objects there", f->path, uid ? "user" : "group");
	if (getuid() && getxattr(f->path, "security.capability", NULL, 0) > 0)
		die(EXIT_OURS, "%s: has file capabilities: the loader ignores "
		    "preloaded objects there", f->path);
}

static void check(struct target *t, const char *path, int depth);

/* "#!/usr/bin/python3 -u": the interpreter is what will be loaded. */
static void check_script(struct target *t, const struct file *f, int depth)
{
	const char *line = (const char *)f->data + 2;
	size_t len = f->size - 2 < 255 ? f->size - 2 : 255, n = 0;
	char interpreter[256];

	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (n < len && !strchr(" \t\n", line[n]))
		n++;
	memcpy(interpreter, line, n);
	interpreter[n] = 0;
	if (access(interpreter, X_OK))
		die(EXIT_NOT_EXECUTABLE, "%s: interpreter '%s': %s", f->path,
		    interpreter, strerror(errno));
	if (depth < 4)
		check(t, interpreter, depth + 1);
}

static void check(struct target *t, const char *path, int depth)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file f = { .path = path };
	struct stat st;
	void *data;

	/* a program that may be executed but not read: nothing to look at */
	if (fd < 0 || fstat(fd, &st))
		return;
	check_rights(&f, &st);
	f.size = st.st_size;
	data = mmap(NULL, f.size ? f.size : 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return;
	f.data = data;
	if (f.size > 2 && !memcmp(data, "#!", 2))
		check_script(t, &f, depth);
	else if (f.size > 4 && !memcmp(data, ELFMAG, SELFMAG))
		check_elf(t, &f);
	munmap(data, f.size ? f.size : 1);
}

void target_find(struct target *t, const char *prog)
{
	memset(t, 0, sizeof *t);
	find(t->path, sizeof t->path, prog);
	check(t, t->path, 0);
}
