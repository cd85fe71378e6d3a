"""The page of the institution's letter: a student without a phone sees and ends the lost one.

HTML from the server without scripts; the code of the letter travels in the body of one request,
and the session that it opens in a cookie that only this page gets.
"""
