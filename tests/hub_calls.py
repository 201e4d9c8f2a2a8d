"""What a Hub answers: the calls of `huggingface_hub` 2.4 and of `datasets`, by their paths."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs

from tests.hub_repositories import Blob, Repo

TOKEN = "hf_" + "w" * 34
READER = "hf_" + "r" * 34
EXPIRED = "hf_" + "x" * 34


class Refused(Exception):
    """An error to answer with."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class Calls:
    """Every call, over what a request handler holds: `hub`, `body`, `query`, `headers`."""

    hub: Any
    body: bytes
    query: dict[str, list[str]]
    headers: Any
    command: str

    def _authorize(self, *, write: bool, repo: Repo | None = None) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == EXPIRED or (token and token not in (TOKEN, READER)):
            raise Refused(401, "Invalid credentials in Authorization header")
        if write and token != TOKEN:
            raise Refused(403, "You don't have the rights to write to this repository")
        if repo and repo.private and not token:
            raise Refused(401, "Repository not found", "RepoNotFound")

    def _repo(self, kind: str, name: str, *, write: bool = False) -> Repo:
        repo = self.hub.repo(kind.removesuffix("s"), name)
        self._authorize(write=write, repo=repo)
        return repo

    def _whoami(self) -> None:
        self._authorize(write=False)
        if "Authorization" not in self.headers:
            raise Refused(401, "Invalid username or password.")
        self._json({"type": "user", "name": "maintainer", "orgs": [{"name": "org"}]})

    def _create(self) -> None:
        wanted = json.loads(self.body)
        key = (wanted.get("type") or "model", f"{wanted['organization']}/{wanted['name']}")
        if wanted["organization"] != "org":
            raise Refused(403, f"You don't have the rights to create under {key[1]}")
        self._authorize(write=True)
        status = 409 if key in self.hub.repos else 200
        if status == 200:
            self.hub.repos[key] = Repo(*key, private=wanted.get("visibility") == "private")
        self._json({"url": f"{self.hub.url}/{key[0]}s/{key[1]}"}, status)

    def _info(self, kind: str, name: str, revision: str = "main") -> None:
        repo = self._repo(kind, name)
        commit = repo.at(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        siblings = [{"rfilename": path} for path in commit.files]
        facts = {"private": repo.private, "sha": commit.oid, "siblings": siblings, "tags": []}
        self._json({"id": name, "downloads": 0, "likes": 0, **facts})

    def _settings(self, kind: str, name: str) -> None:
        repo = self._repo(kind, name, write=True)
        repo.private = json.loads(self.body)["visibility"] == "private"
        self._json({})

    def _refs(self, kind: str, name: str) -> None:
        self._json(self._repo(kind, name).refs())

    def _commits(self, kind: str, name: str, revision: str) -> None:
        self._json(
            [
                {"id": one.oid, "title": one.title, "message": one.description, "authors": [],
                 "date": "2026-01-01T00:00:00.000Z"}
                for one in self._repo(kind, name).history(revision)
            ]
        )  # fmt: skip

    def _files(self, kind: str, name: str, revision: str) -> dict[str, Blob]:
        commit = self._repo(kind, name).at(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit.files

    def _tree(self, kind: str, name: str, revision: str, path: str = "") -> None:
        files = self._files(kind, name, revision)
        deep = self.query.get("recursive", ["false"])[0].lower() == "true"
        inside = {one: blob for one, blob in files.items() if one.startswith(path and f"{path}/")}
        if path and not inside:
            raise Refused(404, f"{path} does not exist", "EntryNotFound")
        skip = len(path) + 1 if path else 0
        folders = {one[: one.index("/", skip)] for one in inside if "/" in one[skip:]}
        listed = [{"type": "directory", "path": one, "oid": "0" * 40, "size": 0} for one in folders]
        direct = [one for one in inside if deep or "/" not in one[skip:]]
        self._json(listed + [files[one].described(one) for one in sorted(direct)])

    def _paths(self, kind: str, name: str, revision: str) -> None:
        files = self._files(kind, name, revision)
        form = parse_qs(self.body.decode())
        found = [files[one].described(one) for one in form.get("paths", []) if one in files]
        folders = [
            {"type": "directory", "path": one, "oid": "0" * 40}
            for one in form.get("paths", [])
            if one not in files and any(path.startswith(f"{one}/") for path in files)
        ]
        self._json(found + folders)

    def _yaml(self) -> None:
        card = json.loads(self.body)["content"]
        if not card.startswith("---\n"):
            self._json({"errors": [{"message": "the card has no header"}]}, 400)
            return
        self._json({"errors": [], "warnings": []})

    def _preupload(self, kind: str, name: str, revision: str) -> None:
        repo = self._repo(kind, name, write=True)
        commit = repo.at(revision)
        held = commit.files if commit else {}
        self._json(
            {
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if _is_large(one["path"]) else "regular",
                        "shouldIgnore": False,
                        "oid": held[one["path"]].oid if one["path"] in held else None,
                    }
                    for one in json.loads(self.body)["files"]
                ]
            }
        )

    def _batch(self, name: str, kind: str | None = None) -> None:
        self._repo(kind or "models", name, write=True)
        objects = json.loads(self.body)["objects"]
        new = [one for one in objects if one["oid"] not in self.hub.large]
        held = sum(map(len, self.hub.large.values())) + sum(one["size"] for one in new)
        if self.hub.quota is not None and held > self.hub.quota:
            raise Refused(403, "Private repository storage limit reached, please upgrade your plan")
        for one in new:
            upload = {"href": f"{self.hub.url}/large/{one['oid']}"}
            one["actions"] = {"upload": upload, "verify": {"href": f"{self.hub.url}/verify"}}
        self._json({"transfer": "basic", "objects": objects})

    def _upload(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refused(400, "the content is not what its hash says")
        self.hub.large[oid] = self.body
        self.hub.uploaded.append(oid)
        self._send(200)

    def _verify(self) -> None:
        wanted = json.loads(self.body)
        if len(self.hub.large.get(wanted["oid"], b"")) != wanted["size"]:
            raise Refused(404, "the upload did not arrive")
        self._json({})

    def _commit(self, kind: str, name: str, branch: str) -> None:
        repo = self._repo(kind, name, write=True)
        header, *lines = [json.loads(line) for line in self.body.splitlines()]
        wanted = header["value"]
        if wanted.get("parentCommit") not in (None, repo.branches[branch]):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[repo.branches[branch]].files)
        for line in lines:
            self._apply(files, line["key"], line["value"])
        commit = repo.add(branch, wanted["summary"], wanted["description"], files)
        url = f"{self.hub.url}/{name}/commit/{commit.oid}"
        self._json({"commitUrl": url, "commitOid": commit.oid})

    def _apply(self, files: dict[str, Blob], key: str, value: dict) -> None:
        if key == "file":
            files[value["path"]] = Blob(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            if value["oid"] not in self.hub.large:
                raise Refused(400, f"the content of {value['path']} was never uploaded")
            files[value["path"]] = Blob(self.hub.large[value["oid"]], value["oid"])
        elif key == "deletedFile":
            if files.pop(value["path"], None) is None:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
        else:
            raise Refused(400, f"the test's Hub knows no {key}")

    def _branch(self, kind: str, name: str, branch: str) -> None:
        repo = self._repo(kind, name, write=True)
        if self.command == "DELETE":
            del repo.branches[branch]
        elif branch in repo.branches:
            raise Refused(409, "Reference already exists")
        else:
            repo.branches[branch] = json.loads(self.body).get("startingPoint")
        self._json({})

    def _tag(self, kind: str, name: str, revision: str) -> None:
        repo = self._repo(kind, name, write=True)
        tag = json.loads(self.body)["tag"]
        if tag in repo.tags:
            raise Refused(409, "Tag already exists")
        repo.tags[tag] = revision
        self._json({})

    def _resolve(self, name: str, revision: str, path: str, kind: str | None = None) -> None:
        repo = self._repo(kind or "models", name)
        commit = repo.at(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if path not in commit.files:
            raise Refused(404, "Entry not found", "EntryNotFound")
        blob = commit.files[path]
        headers = {"ETag": f'"{blob.sha256 or blob.oid}"', "X-Repo-Commit": commit.oid}
        headers |= {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        self._ranged(blob.content, headers)

    def _ranged(self, content: bytes, headers: dict[str, str]) -> None:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not match:
            self._send(200, content, headers)
            return
        first, last = match.groups()
        start = int(first) if first else max(0, len(content) - int(last))
        stop = min(len(content), int(last) + 1) if first and last else len(content)
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        self._send(206, content[start:stop], headers)


def _is_large(path: str) -> bool:
    return path.endswith((".parquet", ".safetensors", ".png"))


_REPO = r"/api/(?P<kind>datasets|models)/(?P<name>[^/]+/[^/]+)"
_FILE = r"/(?:(?P<kind>datasets)/)?(?P<name>[^/]+/[^/]+)"
ROUTES = (
    (r"GET /api/whoami-v2", "_whoami"),
    (r"POST /api/repos/create", "_create"),
    (r"POST /api/validate-yaml", "_yaml"),
    (rf"GET {_REPO}", "_info"),
    (rf"GET {_REPO}/revision/(?P<revision>.+)", "_info"),
    (rf"PUT {_REPO}/settings", "_settings"),
    (rf"GET {_REPO}/refs", "_refs"),
    (rf"GET {_REPO}/commits/(?P<revision>[^/]+)", "_commits"),
    (rf"GET {_REPO}/tree/(?P<revision>[^/]+)", "_tree"),
    (rf"GET {_REPO}/tree/(?P<revision>[^/]+)/(?P<path>.+)", "_tree"),
    (rf"POST {_REPO}/paths-info/(?P<revision>[^/]+)", "_paths"),
    (rf"POST {_REPO}/preupload/(?P<revision>[^/]+)", "_preupload"),
    (rf"POST {_FILE}\.git/info/lfs/objects/batch", "_batch"),
    (r"PUT /large/(?P<oid>[0-9a-f]{64})", "_upload"),
    (r"POST /verify", "_verify"),
    (rf"POST {_REPO}/commit/(?P<branch>[^/]+)", "_commit"),
    (rf"(?:POST|DELETE) {_REPO}/branch/(?P<branch>[^/]+)", "_branch"),
    (rf"POST {_REPO}/tag/(?P<revision>[^/]+)", "_tag"),
    (rf"(?:GET|HEAD) {_FILE}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "_resolve"),
)
