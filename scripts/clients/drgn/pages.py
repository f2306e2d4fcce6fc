# SPDX-License-Identifier: GPL-2.0
"""Entries of processes' and files' pages, computed from the kernel's memory alone.

Page tables, struct page, XArrays and swap tables are walked here; drgn gives the tasks, the
VMAs and the layouts. Bits are as in Documentation/interface.md and exclusive.md.
"""

from drgn import FaultError, offsetof
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import for_each_vma

FRAME = 0x000FFFFFFFFFF000
PRESENT, WRITABLE, HUGE = 1, 2, 1 << 7
# A swap entry: x86's bits of softleaf entries, which have no PRESENT and no PROTNONE.
PROTNONE, SWAP_EXCLUSIVE, SWAP_UFFD, SWAP_SOFT_DIRTY = 1 << 8, 1 << 3, 1 << 2, 1 << 1
UFFD, SOFT_DIRTY = 1 << 10, 1 << 11
# Types of entries that are no swap slots: the first of them, and markers.
NOT_SWAP, MARKER = 24, 31
VM_PFNMAP, VM_SOFTDIRTY = 0x400, 0x8000000
ANON, KSM = 1, 3
PIN = 1024


class Reader:
    def __init__(self, kernel):
        self.kernel = kernel
        prog = kernel.prog
        flags = prog.type("enum pageflags").enumerators
        self.bits = {name: 1 << value for name, value in flags}
        page, folio = prog.type("struct page"), prog.type("struct folio")
        self.at = {name: offsetof(page, name) for name in ("flags", "mapping", "compound_info", "_mapcount", "_refcount")}
        self.of_folio = {name: offsetof(folio, name) for name in ("_flags_1", "_entire_mapcount", "_pincount")}
        base = prog["page_offset_base"].value_()
        self.physical = lambda address: address - base
        self.zero = self.zero_frames()
        node = prog.type("struct xa_node")
        self.node = {name: offsetof(node, name) for name in ("shift", "slots")}
        self.tables = {}

    def zero_frames(self):
        page = self.kernel.addresses["empty_zero_page"] - 0xFFFFFFFF80000000
        frames = {page >> 12}
        huge = self.kernel.addresses.get("huge_zero_pfn")
        if huge:
            pfn = self.kernel.prog.read_u64(huge)
            if pfn != 2**64 - 1:
                frames |= set(range(pfn, pfn + 512))
        return frames

    # struct page

    def page_bytes(self, pfn):
        address = self.kernel.vmemmap + pfn * self.kernel.page_size
        return self.kernel.prog.read(address, self.kernel.page_size)

    def page(self, pfn):
        """A page as a dictionary; None where there is no struct page."""
        try:
            data = self.page_bytes(pfn)
        except FaultError:
            return None
        word = lambda data, at: int.from_bytes(data[at : at + 8], "little")
        count = lambda data, at: int.from_bytes(data[at : at + 4], "little", signed=True)
        head = pfn
        info = word(data, self.at["compound_info"])
        if info & 1:
            # A mask for the page's own address, or the head's address.
            own = self.kernel.vmemmap + pfn * self.kernel.page_size
            address = own & info if info >> 40 == 0xFFFFFF else info - 1
            head = (address - self.kernel.vmemmap) // self.kernel.page_size
        first = self.page_bytes(head) if head != pfn else data
        flags, mapping = word(first, self.at["flags"]), word(first, self.at["mapping"])
        large = bool(flags & self.bits["PG_head"])
        mapped = count(data, self.at["_mapcount"]) + 1
        # Below -128: the type of a page that cannot be mapped one by one.
        mapped = mapped if mapped >= -128 else 0
        order = pins = 0
        if large:
            folio = self.kernel.vmemmap + head * self.kernel.page_size
            second = self.kernel.prog.read(folio, 2 * self.kernel.page_size)
            order = word(second, self.of_folio["_flags_1"]) & 0xFF
            mapped += count(second, self.of_folio["_entire_mapcount"]) + 1
            if order > 1:
                pins = count(second, self.of_folio["_pincount"])
        references = count(first, self.at["_refcount"])
        own = word(data, self.at["flags"])
        swapbacked = flags & self.bits["PG_swapbacked"]
        return {
            "head": head,
            "order": order,
            "large": large,
            "anon": bool(mapping & ANON),
            "ksm": mapping & 3 == KSM,
            "exclusive": bool(own & self.bits["PG_owner_2"]),
            "cached": bool(swapbacked and flags & self.bits["PG_owner_priv_1"]),
            "references": references,
            "mapped": mapped,
            "pinned": pins > 0 if large and order > 1 else references >= PIN,
        }

    # Page tables

    def leaves(self, mm):
        """(address, entry, entries of a huge page or 0) of a process, in ascending order."""
        pgd = self.physical(mm.pgd.value_())
        yield from self.level(pgd, 39, 0)

    def level(self, physical, shift, base):
        for index, entry in enumerate(self.kernel.table(physical)[: 256 if shift == 39 else 512]):
            address = base + (index << shift)
            if not entry:
                continue
            if shift == 12:
                yield address, entry, 0
            elif not entry & (PRESENT | PROTNONE) or entry & HUGE:
                yield address, entry, 1 << (shift - 12)
            else:
                yield from self.level(entry & FRAME, shift - 9, address)

    @staticmethod
    def swap_entry(entry):
        """(type, offset) of an entry that is not present."""
        return entry >> 59, ~entry >> 9 & ((1 << 50) - 1)

    # Swap tables

    def slot(self, kind, offset):
        """The word of a swap slot in its table: 0 free, odd swapped out, 2 cached."""
        key = (kind, offset >> 9)
        if key not in self.tables:
            info = self.kernel.prog["swap_info"][kind]
            table = info.cluster_info[offset >> 9].table
            if not table:
                self.tables[key] = None
            else:
                raw = self.kernel.prog.read(table.value_(), 4096)
                self.tables[key] = memoryview(raw).cast("Q")
        table = self.tables[key]
        return 0 if table is None else table[offset & 511]

    def where(self, kind, offset):
        """Of the word, bits 60 to 63 are a count, 59 is set if the page is all zero."""
        word = self.slot(kind, offset)
        if word & 3 == 2:
            return "cache"
        if not word & 1 or not word >> 60:
            return "none"
        return "zero" if word >> 59 & 1 else "disk"

    # XArrays

    def file_entries(self, mapping):
        """{index: ("page", pfn) or ("swap", type, offset)} of a shmem file."""
        entries = {}
        self.xarray(mapping.i_pages.xa_head.value_(), 0, 0, entries)
        return entries

    def xarray(self, entry, base, shift, entries):
        if not entry:
            return
        if entry & 3 == 2 and entry > 4096:
            node = entry - 2
            shift = self.kernel.prog.read_u8(node + self.node["shift"])
            slots = memoryview(self.kernel.prog.read(node + self.node["slots"], 512)).cast("Q")
            for i, slot in enumerate(slots):
                index = base + (i << shift)
                if slot & 3 == 2 and slot < 4096:
                    # A sibling: its entry is in the slot that it names.
                    self.leaf(slots[slot >> 2], base + (slot >> 2 << shift), index, 1 << shift, entries)
                else:
                    self.xarray(slot, index, shift, entries)
        else:
            self.leaf(entry, base, base, 1 << shift, entries)

    def leaf(self, entry, first, index, count, entries):
        if not entry or entry & 3 == 2:
            return
        for i in range(index, index + count):
            if entry & 1:
                value = entry >> 1
                kind, offset = value >> 58, value & ((1 << 58) - 1)
                if kind < NOT_SWAP:
                    entries[i] = ("swap", kind, offset + i - first)
            else:
                pfn = (entry - self.kernel.vmemmap) // self.kernel.page_size
                head = self.page(pfn)["order"]
                entries[i] = ("page", pfn + (i & ((1 << head) - 1)))

    # Entries

    def pagemap(self, vma, entry, sub, hole):
        """An entry of PID/pagemap; `hole`: of the file, where the page table has nothing."""
        bits = 1 << 55 if vma.flags & VM_SOFTDIRTY else 0
        if not entry:
            return bits | self.swapped(hole)
        if entry & (PRESENT | PROTNONE):
            pfn = self.frame(entry) + sub
            bits |= 1 << 63 | pfn
            bits |= 1 << 55 if entry & SOFT_DIRTY else 0
            bits |= 1 << 57 if entry & UFFD else 0
            if pfn in self.zero or vma.flags & VM_PFNMAP:
                return bits
            page = self.page(pfn)
            if not page["anon"]:
                bits |= 1 << 61
            return bits | (1 << 56 if page["mapped"] == 1 else 0)
        kind, offset = self.swap_entry(entry)
        bits |= 1 << 55 if entry & SWAP_SOFT_DIRTY else 0
        if kind == MARKER:
            bits |= 1 << 57 if entry & SWAP_UFFD or offset & 1 else 0
            if offset & 1 and hole and hole[0] == "swap":
                return bits | self.swapped(hole)
            bits |= 1 << 58 if offset & 4 else 0
        else:
            bits |= 1 << 57 if entry & SWAP_UFFD else 0
        return bits | 1 << 62 | kind | offset + sub << 5

    @staticmethod
    def swapped(hole):
        if not hole or hole[0] != "swap":
            return 0
        return 3 << 61 | hole[1] | hole[2] << 5

    def exclusive(self, vma, entry, sub, huge):
        """An entry of PID/exclusive."""
        if not entry:
            return 0
        if not entry & (PRESENT | PROTNONE):
            kind, offset = self.swap_entry(entry)
            if kind >= NOT_SWAP:
                return 0
            cached = self.slot(kind, offset) & 3 == 2
            return 1 << 62 | (1 << 60 if entry & SWAP_EXCLUSIVE else 0) | (1 << 54 if cached else 0)
        bits = 1 << 63 | (1 << 58 if entry & WRITABLE else 0) | (1 << 55 if huge else 0)
        pfn = self.frame(entry) + sub
        if pfn in self.zero:
            return bits | 1 << 52
        if vma.flags & VM_PFNMAP:
            return bits
        # With a huge page table entry the head page has the bit for all.
        page = self.page(pfn)
        bits |= 1 << 56 if page["large"] else 0
        if not page["anon"]:
            return bits | 1 << 61
        mark = self.page(pfn - sub) if huge else page
        bits |= 1 << 60 if mark["exclusive"] else 0
        bits |= 1 << 59 if page["pinned"] else 0
        bits |= 1 << 57 if page["ksm"] else 0
        bits |= 1 << 54 if page["cached"] else 0
        return bits | min(page["references"], 65535) << 16 | min(page["mapped"], 65535)

    @staticmethod
    def frame(entry):
        # An entry without PRESENT has its frame inverted (L1TF).
        return (entry if entry & PRESENT else ~entry) >> 12 & (FRAME >> 12)


class Vma:
    def __init__(self, vma, shmem_ops):
        self.start, self.end = vma.vm_start.value_(), vma.vm_end.value_()
        self.flags = vma.vm_flags.value_()
        self.index = vma.vm_pgoff.value_()
        self.mapping = None
        if vma.vm_file and vma.vm_file.f_mapping.a_ops.value_() == shmem_ops:
            self.mapping = vma.vm_file.f_mapping


def tasks(prog):
    """{pid: mm} of all processes with an address space."""
    found = {}
    for task in list_for_each_entry("struct task_struct", prog["init_task"].tasks.address_of_(), "tasks"):
        if task.mm:
            found[task.pid.value_()] = task.mm.read_()
    return found


def vmas(mm, shmem_ops):
    return [Vma(vma, shmem_ops) for vma in for_each_vma(mm)]
