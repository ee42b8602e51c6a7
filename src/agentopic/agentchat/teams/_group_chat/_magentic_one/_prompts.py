"""What the orchestrator asks its model, and tells its team."""

from __future__ import annotations

from typing import Final

FACTS: Final = """Before any work is begun, take stock of what is known. The request is:

{task}

Write four lists under these headings, and nothing else:

    1. GIVEN: facts and figures that the request itself states.
    2. TO LOOK UP: what must be found, and where (a file, a page, an author, a source).
    3. TO DERIVE: what must be computed or concluded.
    4. GUESSED: what you remember or suppose, however unsure.

Names, dates and numbers are facts. Leave a list empty rather than plan: the next step is the plan.
"""

PLAN: Final = """This team works on the request:

{team}

With the team and with what is known, write a short plan, as a list. Not everybody has to take part: call only on those
whose skills the request needs.
"""

TASK_LEDGER: Final = """The request that the team works on:

{task}

The team:

{team}

What is known so far:

{facts}

The plan to follow:

{plan}
"""

PROGRESS: Final = """The request that the team works on:

{task}

The team:

{team}

From the conversation so far, answer each of these with a reason:

    - is_request_satisfied: is the whole request fulfilled? (true, when nothing is left to do)
    - is_in_loop: are the same requests or answers being repeated, over several messages? (true or false)
    - is_progress_being_made: have the last messages brought something new? (false, when work is stuck or hindered)
    - next_speaker: who should go on? (one of: {names})
    - instruction_or_question: what exactly should be said to them, with all they need to know?

Answer with one JSON object of this form, and nothing around it:

    {{
       "is_request_satisfied": {{"reason": string, "answer": boolean}},
       "is_in_loop": {{"reason": string, "answer": boolean}},
       "is_progress_being_made": {{"reason": string, "answer": boolean}},
       "next_speaker": {{"reason": string, "answer": string (one of: {names})}},
       "instruction_or_question": {{"reason": string, "answer": string}}
    }}
"""

FACTS_UPDATE: Final = """The work is not getting ahead, though something was learned. The request is:

{task}

Write the lists of what is known anew: add what was found, correct what has proved wrong, move guesses that were
confirmed, and make at least one new guess, with your reason. The lists so far:

{facts}
"""

PLAN_UPDATE: Final = """Say briefly why the last plan failed. Then write a new plan, as a list, that avoids those
mistakes and gets around what stood in the way. The team is still this one; nobody else can be asked:

{team}
"""

FINAL_ANSWER: Final = """The work on this request is over:

{task}

The messages above show how it was done. Give the final answer to the request, as if you spoke to who asked for it.
"""
