// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/memory/region.h"
#include "lib/pagemap/shmemlist.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define HEADER "# MAJOR:MINOR:INODE PAGES CACHED SWAPPED LINKS NAME\n"

/* The line from @text to @end, without its newline. */
static bool parse_line(struct shmem_line *l, const char *text, size_t len)
{
	char line[FILE_ID + FILE_NAME + 128], again[sizeof(line)];
	unsigned int generation;
	int name = 0;

	if (len >= sizeof(line))
		return false;
	memcpy(line, text, len);
	line[len] = '\0';
	if (sscanf(line, "%63s %llu %llu %llu %llu %n", l->id, &l->pages, &l->cached,
		   &l->swapped, &l->links, &name) != 5 || !name || !line[name] ||
	    len - name >= sizeof(l->name))
		return false;
	memcpy(l->name, line + name, len - name + 1);
	/* sscanf() accepts more than the format: the line must be as printed. */
	snprintf(again, sizeof(again), "%s %llu %llu %llu %llu %s", l->id, l->pages,
		 l->cached, l->swapped, l->links, l->name);
	if (strcmp(line, again) || !l->swapped)
		return false;
	l->has_generation = sscanf(l->id, "%u:%u:%llu:%u", &l->major, &l->minor, &l->inode,
				   &generation) == 4;
	if (l->has_generation)
		snprintf(again, sizeof(again), "%u:%u:%llu:%u", l->major, l->minor, l->inode,
			 generation);
	else
		snprintf(again, sizeof(again), "%u:%u:%llu", l->major, l->minor, l->inode);
	return !strcmp(l->id, again);
}

int shmem_list_parse(struct shmem_list *list, const char *text)
{
	const char *end;

	*list = (struct shmem_list){};
	if (strncmp(text, HEADER, strlen(HEADER)))
		return -EPROTO;
	for (text += strlen(HEADER); *text; text = end + 1) {
		end = strchr(text, '\n');
		list->lines = realloc(list->lines, (list->count + 1) * sizeof(*list->lines));
		if (!end || !parse_line(&list->lines[list->count++], text, end - text)) {
			shmem_list_free(list);
			return -EPROTO;
		}
	}
	return 0;
}

int shmem_list_read(struct shmem_list *list)
{
	int fd = open(XPAGEMAP_SHMEM, O_RDONLY | O_CLOEXEC), err;
	size_t len;
	char *text;

	*list = (struct shmem_list){};
	if (fd < 0)
		return -errno;
	text = read_to_end(fd, 4096, &len);
	err = text ? shmem_list_parse(list, text) : -errno;
	free(text);
	close(fd);
	return err;
}

void shmem_list_free(struct shmem_list *list)
{
	free(list->lines);
	*list = (struct shmem_list){};
}

const struct shmem_line *shmem_list_named(const struct shmem_list *list, const char *name)
{
	const struct shmem_line *found = NULL;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->lines[i].name, name))
			continue;
		if (found)
			return NULL;
		found = &list->lines[i];
	}
	return found;
}

const struct shmem_line *shmem_list_of(const struct shmem_list *list, int fd)
{
	const struct shmem_line *found = NULL, *l;
	struct stat st;
	size_t i;

	if (fstat(fd, &st))
		return NULL;
	for (i = 0; i < list->count; i++) {
		l = &list->lines[i];
		if (l->major != major(st.st_dev) || l->minor != minor(st.st_dev) ||
		    l->inode != st.st_ino)
			continue;
		if (found)
			return NULL;
		found = l;
	}
	return found;
}

static int take_line(struct shmem_list *list, const struct shmem_line *found,
		     struct shmem_line *line)
{
	if (found)
		*line = *found;
	shmem_list_free(list);
	return found ? 0 : -ENOENT;
}

int shmem_line_of(int fd, struct shmem_line *line)
{
	struct shmem_list list;
	int err = shmem_list_read(&list);

	return err ?: take_line(&list, shmem_list_of(&list, fd), line);
}

int shmem_line_named(const char *name, struct shmem_line *line)
{
	struct shmem_list list;
	int err = shmem_list_read(&list);

	return err ?: take_line(&list, shmem_list_named(&list, name), line);
}

int file_swap_out(int fd, size_t pages)
{
	struct region r;
	int err = region_map(&r, NULL, pages, MAP_SHARED, fd, 0);

	if (err)
		return err;
	region_fill(&r);
	err = region_pageout(&r);
	region_unmap(&r);
	return err;
}

int attach_file(const char *id)
{
	return write_text(XPAGEMAP_ATTACH_FILE, "%s\n", id);
}

long long file_summary(const char *id, const char *key)
{
	char path[128];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/files/%s/summary", id);
	return read_value(path, key);
}
