// The button and the dialog that export all records that match.

import type { JSX } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { Problem, type Query, search } from "../api/api";
import { SignedOut } from "../api/live";
import { useView } from "../frame/view";
import { type Format, fetchAll, type Progress } from "./export_file";
import { bytes, plural } from "./format";
import { save } from "./save";
import { announce, Dialog, Icon, ProblemBox, Segments } from "./ui";

/** What is exported. */
export interface Exported {
  path: string;
  /** "records". */
  name: string;
  /** How the file's name begins. */
  file: string;
  /** Which of them, behind "All records in production that …". */
  which: string;
  /** Without them both. */
  formats?: readonly Format[];
}

interface ExportProps {
  what: Exported;
  query: Query;
}

export function ExportButton({ what, query }: ExportProps): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        <Icon name="download" /> Export
      </button>
      {open && <ExportDialog what={what} query={query} onClose={() => setOpen(false)} />}
    </>
  );
}

function ExportDialog({ what, query, onClose }: ExportProps & { onClose: () => void }): JSX.Element {
  const view = useView();
  const signedOut = useContext(SignedOut);
  const [format, setFormat] = useState<Format>("csv");
  const [progress, setProgress] = useState<Progress | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [done, setDone] = useState(false);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const running = progress !== null && !done && problem === null;
  const name = `${what.file}-${view.environment}-${new Date().toISOString().slice(0, 16).replaceAll(":", "")}.${format}`;

  const start = async (): Promise<void> => {
    stop.current = new AbortController();
    setProblem(null);
    setDone(false);
    setProgress({ pages: 0, rows: 0, size: 0 });
    try {
      const url = what.path + search(what.formats ? query : { ...query, format });
      save(await fetchAll(url, format, stop.current.signal, setProgress), name);
      setDone(true);
      announce("The export is complete");
    } catch (error) {
      if (stop.current.signal.aborted) return setProgress(null);
      if (error instanceof Problem && error.status === 401) return signedOut();
      setProblem(error instanceof Problem ? error : new Problem(0, "Failed", String(error)));
    }
  };

  return (
    <Dialog title={`Export ${what.name}`} class="confirmation" onClose={onClose}>
      <p>
        All {what.name} in {view.environment} that {what.which}.
      </p>
      {!what.formats && (
        <Segments
          label="Format"
          options={[
            ["csv", "CSV"],
            ["ndjson", "NDJSON"],
          ]}
          value={format}
          onChange={(chosen) => !running && setFormat(chosen)}
        />
      )}
      {progress && (
        <div class="progress" role="status" data-rows={progress.rows}>
          {running && <progress aria-label="Exporting" />}
          <p>
            {plural(progress.rows, "row")}, {bytes(progress.size)}, {plural(progress.pages, "page")}
            {done && <strong> – complete and checked. The file is in your downloads.</strong>}
          </p>
        </div>
      )}
      {problem && <ProblemBox problem={problem} />}
      <div class="buttons">
        {running ? (
          <button type="button" class="button" onClick={() => stop.current.abort()}>
            Stop
          </button>
        ) : (
          <button type="button" class="button primary" onClick={start}>
            {done || problem ? "Export again" : "Export"}
          </button>
        )}
      </div>
    </Dialog>
  );
}
