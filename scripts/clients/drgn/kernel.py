# SPDX-License-Identifier: GPL-2.0
"""A drgn program on the memory of a guest: addresses by System.map, types by layout.o."""

import mmap
import re

import drgn

# The variables that are read, and their types.
VARIABLES = {
    "init_task": "struct task_struct",
    "page_offset_base": "unsigned long",
    "vmemmap_base": "unsigned long",
    "swap_info": "struct swap_info_struct *[32]",
    "shmem_swaplist": "struct list_head",
}


def symbols(system_map):
    with open(system_map) as lines:
        return {name: int(address, 16) for address, _, name in map(str.split, lines)}


def vmcoreinfo(addresses, release, physical_base):
    return "\n".join(
        (
            f"OSRELEASE={release}",
            "PAGESIZE=4096",
            f"SYMBOL(swapper_pg_dir)={addresses['init_top_pgt']:x}",
            f"SYMBOL(init_uts_ns)={addresses['init_uts_ns']:x}",
            "KERNELOFFSET=0",
            "NUMBER(KERNEL_IMAGE_SIZE)=1073741824",
            f"NUMBER(phys_base)={physical_base}",
            "NUMBER(pgtable_l5_enabled)=0",
            "NUMBER(sme_mask)=0",
            "",
        )
    )


class Kernel:
    """The guest's kernel. `memory` is its physical memory, which begins at address 0."""

    def __init__(self, ram, system_map, layout, release):
        with open(ram, "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        platform = drgn.Platform(drgn.Architecture.X86_64)
        self.prog = drgn.Program(platform)
        self.addresses = symbols(system_map)
        self.prog.add_memory_segment(0, len(self.memory), self.read_physical, True)
        # The kernel is linked to be loaded at 16 MiB and is: no KASLR.
        self.prog.set_linux_kernel_custom(vmcoreinfo(self.addresses, release, 0), True)
        self.prog.extra_module("layout", create=True).try_file(layout, force=True)
        self.prog.register_object_finder("System.map", self.find, enable_index=0)
        self.vmemmap = self.prog["vmemmap_base"].value_()
        self.page_size = self.prog.type("struct page").size

    def read_physical(self, address, count, offset, physical):
        return self.memory[address : address + count]

    def find(self, prog, name, flags, filename):
        if name not in VARIABLES or not flags & drgn.FindObjectFlags.VARIABLE:
            return None
        kind = re.sub(r"\[\d+\]", "", VARIABLES[name]).strip()
        type_ = prog.type(kind)
        length = re.search(r"\[(\d+)\]", VARIABLES[name])
        if length:
            type_ = prog.array_type(type_, int(length[1]))
        return drgn.Object(prog, type_, address=self.addresses[name])

    def word(self, physical):
        return int.from_bytes(self.memory[physical : physical + 8], "little")

    def table(self, physical):
        """The 512 entries of a page table."""
        return memoryview(self.memory)[physical : physical + 4096].cast("Q")
