#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""rust_project.py CHECKOUT BUILT ROOT [DRIVER]: writes CHECKOUT/rust-project.json. It starts from
the file that the kernel's generator has left in the folder BUILT. It adds the crates of the library
and of the lab, and those of the folder DRIVER. It makes the library a dependency of the other
crates, and replaces paths of the toolchain by those below ROOT. It leaves out the crates in
CHECKOUT/build, which are copies."""

import json
import os
import re
import sys

checkout, built, root, *drivers = sys.argv[1:]
with open(built + "/rust-project.json", encoding="utf-8") as file:
    project = json.load(file)

# A dependency is the number of a crate, so the numbers change.
crates, numbers = [], {}
for number, crate in enumerate(project["crates"]):
    if not crate["root_module"].startswith(checkout + "/build/"):
        numbers[number] = len(crates)
        crates.append(crate)
for crate in crates:
    crate["deps"] = [dict(dep, crate=numbers[dep["crate"]]) for dep in crate["deps"]]
project["crates"] = crates


def on_this_machine(path):
    """The path, outside of the sandbox, of a file of the toolchain root."""
    return root + path if path.startswith("/usr/") else path


for key in ("sysroot", "sysroot_src"):
    if key in project:
        project[key] = on_this_machine(project[key])
for crate in crates:
    crate["root_module"] = on_this_machine(crate["root_module"])
    if "proc_macro_dylib_path" in crate:
        crate["proc_macro_dylib_path"] = on_this_machine(crate["proc_macro_dylib_path"])

ours = [crate for crate in crates if crate["root_module"].startswith(checkout + "/")]
module = next(crate for crate in ours if crate["root_module"] == checkout + "/labyrinth_mod.rs")
library = dict(module, display_name="labyrinth", root_module=checkout + "/rust/lib.rs",
               deps=list(module["deps"]), env=dict(module.get("env", {})))
library["env"].update(LABYRINTH_BINDINGS=built + "/helpers_generated.rs",
                      LABYRINTH_ID="rust-analyzer")
lab = dict(module, display_name="labyrinth_lab", root_module=checkout + "/rust/lab/lab.rs",
           deps=list(module["deps"]), env=dict(module.get("env", {})))
lab["env"].update(LABYRINTH_LAB_BINDINGS=built + "/lab_generated.rs")
ours.append(lab)
crates.append(lab)
for driver in drivers:
    kbuild = next(path for name in ("Kbuild", "Makefile")
                  if os.path.exists(path := f"{driver}/{name}"))
    with open(kbuild, encoding="utf-8") as file:
        names = re.findall(r"(\w+)\.o\b", file.read())
    for name in names:
        if os.path.exists(path := f"{driver}/{name}.rs"):
            crate = dict(module, display_name=name, root_module=path, deps=list(module["deps"]),
                         env=dict(module.get("env", {})))
            ours.append(crate)
            crates.append(crate)
for crate in ours:
    # call_site!() reads this variable, which Kbuild sets.
    crate.setdefault("env", {}).setdefault("RUST_MODFILE", crate["display_name"])
    crate["deps"] = crate["deps"] + [{"crate": len(crates), "name": "labyrinth"}]
crates.append(library)

missing = [crate["root_module"] for crate in crates if not os.path.exists(crate["root_module"])
           and not crate["root_module"].startswith(root)]
if missing:
    sys.exit(f"rust_project.py: these crates have no file: {', '.join(missing)}")
with open(checkout + "/rust-project.json", "w", encoding="utf-8") as file:
    json.dump(project, file)
