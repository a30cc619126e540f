// A report as a file for a spreadsheet: what the API answers as CSV, as it is.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { download, Problem, type Query, search } from "../api/api";
import { SignedOut } from "../api/live";
import { useView } from "../frame/view";
import { save } from "../parts/save";
import { announce, Dialog, Icon, ProblemBox } from "../parts/ui";

interface ReportFileProps {
  path: string;
  query: Query;
  /** How its name goes on behind "orbit-desktop-". */
  name: string;
}

export function ReportFile({ path, query, name }: ReportFileProps): JSX.Element {
  const { environment } = useView();
  const signedOut = useContext(SignedOut);
  const [problem, setProblem] = useState<Problem | null>(null);
  const product = query.application === "*" ? "all-products" : (query.application ?? "").replace(/[^\w.-]/g, "_");
  const fetch = async (): Promise<void> => {
    try {
      const answer = await download(path + search({ ...query, format: "csv" }));
      save(await answer.blob(), `${product}-${environment}-${name}.csv`);
      announce("The file is in your downloads");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return signedOut();
      setProblem(error instanceof Problem ? error : new Problem(0, "Failed", String(error)));
    }
  };
  return (
    <>
      <button type="button" class="button" onClick={fetch} data-file={name}>
        <Icon name="download" /> CSV
      </button>
      {problem && (
        <Dialog title="No file" class="confirmation" onClose={() => setProblem(null)}>
          <ProblemBox problem={problem} />
        </Dialog>
      )}
    </>
  );
}
